/**
 * Runs pseudocode literally, without the program's own code.
 *
 * @module
 */

/** Values of names: `nr`, `arch`, `instruction_pointer`, `args[0]` to `args[5]`. */
export type Names = Readonly<Record<string, bigint>>;

const TOKEN =
  /\s+|(L[0-9]+:|args\[[0-9]\]|M\[[0-9]+\]|0x[0-9a-f]+|[0-9]+|[A-Za-z_]\w*|<<|>>|&&|\|\||[=!<>]=|[-+*/%&|^<>=!(){},])/y;
const U32 = (1n << 32n) - 1n;

/** Splits pseudocode into tokens; remarks are omitted. */
export function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  const code = text.replaceAll(/^#.*$/gm, "");
  for (let at = 0; at < code.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(code);
    if (match === null) {
      throw new Error(`not pseudocode: ${code.slice(at, at + 40)}`);
    }
    if (match[1] !== undefined) tokens.push(match[1]);
  }
  return tokens;
}

/** Runs pseudocode on one input. */
export class PseudoRunner {
  readonly #tokens: readonly string[];
  readonly #names: Record<string, bigint>;
  #at = 0;

  constructor(tokens: readonly string[], names: Names) {
    this.#tokens = tokens;
    this.#names = { A: 0n, X: 0n, ...names };
  }

  /** The returned value. */
  run(): bigint {
    for (;;) {
      const token = this.#take();
      if (token === "}") {
        // The end of a branch whose statements did not leave it.
        if (this.#peek() === "else") {
          this.#take();
          this.#skip();
        }
        continue;
      }
      if (token === "if") {
        this.#expect("(");
        const holds = this.#condition() !== 0n;
        this.#expect(")");
        if (holds) {
          if (this.#peek() === "{") this.#take();
          continue;
        }
        this.#skip();
        if (this.#peek() === "else") {
          this.#take();
          this.#expect("{");
        }
        continue;
      }
      if (token === "return") return this.#value();
      if (token === "goto") {
        const label = this.#tokens.indexOf(`${this.#take()}:`);
        if (label < 0) throw new Error("no label");
        this.#at = label + 1;
        continue;
      }
      if (token.endsWith(":")) throw new Error(`falls into ${token}`);
      this.#expect("=");
      this.#names[token] = this.#value();
    }
  }

  /** Skips a statement or a block. */
  #skip(): void {
    if (this.#take() !== "{") {
      // `return` or `goto` and one word or expression.
      let open = 0;
      do {
        const token = this.#take();
        if (token === "(") open++;
        if (token === ")") open--;
      } while (open > 0);
      return;
    }
    for (let open = 1; open > 0;) {
      const token = this.#take();
      if (token === "{") open++;
      if (token === "}") open--;
    }
  }

  #condition(): bigint {
    let value = this.#comparison();
    for (;;) {
      const sign = this.#peek();
      if (sign !== "&&" && sign !== "||") return value;
      this.#take();
      const other = this.#comparison();
      const both = value !== 0n && other !== 0n;
      const any = value !== 0n || other !== 0n;
      value = (sign === "&&" ? both : any) ? 1n : 0n;
    }
  }

  #comparison(): bigint {
    if (this.#peek() === "!") {
      this.#take();
      return this.#primary() === 0n ? 1n : 0n;
    }
    const left = this.#value();
    const sign = this.#peek();
    const truth = (is: boolean): bigint => is ? 1n : 0n;
    switch (sign) {
      case "not":
      case "in": {
        if (this.#take() === "not") this.#expect("in");
        this.#expect("{");
        const members: bigint[] = [];
        do members.push(this.#value()); while (this.#take() === ",");
        return truth(members.includes(left) === (sign === "in"));
      }
      case "==":
        return truth((this.#take(), left === this.#value()));
      case "!=":
        return truth((this.#take(), left !== this.#value()));
      case "<":
        return truth((this.#take(), left < this.#value()));
      case "<=":
        return truth((this.#take(), left <= this.#value()));
      case ">":
        return truth((this.#take(), left > this.#value()));
      case ">=":
        return truth((this.#take(), left >= this.#value()));
      default:
        return left;
    }
  }

  #value(): bigint {
    let value = this.#primary();
    for (;;) {
      const sign = this.#peek();
      if (
        !["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"].includes(sign)
      ) {
        return value;
      }
      this.#take();
      const other = this.#primary();
      value = U32 & operate(sign, value, other);
    }
  }

  #primary(): bigint {
    const token = this.#take();
    if (token === "(") {
      const value = this.#condition();
      this.#expect(")");
      return value;
    }
    if (/^[0-9]/.test(token)) return BigInt(token);
    if (token === "low" || token === "high") {
      this.#expect("(");
      const word = this.#name(this.#take());
      this.#expect(")");
      return token === "low" ? word & U32 : word >> 32n;
    }
    return this.#name(token);
  }

  #name(token: string): bigint {
    const value = this.#names[token];
    if (value === undefined) throw new Error(`no value of ${token}`);
    return value;
  }

  #peek(): string {
    return this.#tokens[this.#at] ?? "";
  }

  #take(): string {
    const token = this.#peek();
    if (token === "") throw new Error("the text ends");
    this.#at++;
    return token;
  }

  #expect(token: string): void {
    const seen = this.#take();
    if (seen !== token) throw new Error(`${seen} instead of ${token}`);
  }
}

function operate(sign: string, a: bigint, b: bigint): bigint {
  switch (sign) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
    case "%":
      return a % b;
    case "&":
      return a & b;
    case "|":
      return a | b;
    case "^":
      return a ^ b;
    case "<<":
      return a << (b & 31n);
    default:
      return a >> (b & 31n);
  }
}
