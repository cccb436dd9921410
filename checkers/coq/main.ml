(* Reads certificates and programs for the checker that was proved in Coq.

     certificate CERTIFICATE [PROGRAM...]
     certificate -        lines of these arguments from standard input

   Prints "accepted" or "rejected: REASON" for each; exits with 0 if all were
   accepted, with 1 if not. docs/certificate.md defines the text. *)

open Checker

exception Bad of string
let bad why = raise (Bad why)

(* Numbers: hexadecimal, without leading zeros. *)
let number most s =
  let n = String.length s in
  if n = 0 || n > most || (n > 1 && s.[0] = '0') then bad ("no number: " ^ s);
  let double = function N0 -> N0 | Npos p -> Npos (XO p) in
  let double1 = function N0 -> Npos XH | Npos p -> Npos (XI p) in
  let digit c = match c with
    | '0'..'9' -> Char.code c - 48
    | 'a'..'f' -> Char.code c - 87
    | _ -> bad ("no number: " ^ s) in
  String.fold_left (fun acc c ->
    let v = digit c in
    List.fold_left (fun acc bit -> if v land bit <> 0 then double1 acc else double acc)
      acc [8; 4; 2; 1]) N0 s
let u32 = number 8
let u64 = number 16
let of_int i = u32 (Printf.sprintf "%x" i)

let words = String.split_on_char ' '

(* The lines that are left. *)
let rest = ref []
let next () = match !rest with
  | [] -> bad "the text ends"
  | line :: more -> rest := more; line
let starts key = match !rest with
  | line :: _ -> String.starts_with ~prefix:(key ^ " ") line
  | [] -> false
let entry key = match words (next ()) with
  | [k; w] when k = key -> w
  | _ -> bad ("expected " ^ key)

let rec conditions = function
  | [] -> []
  | a :: o :: m :: v :: more ->
    if String.length a <> 1 || a.[0] > '5' then bad "no argument";
    let relates = match o with
      | "eq" -> IsEq | "ne" -> IsNe | "lt" -> IsLt | "le" -> IsLe | "gt" -> IsGt | "ge" -> IsGe
      | _ -> bad "no comparison" in
    { arg = u32 a; relates; bits_kept = u64 m; value = u64 v } :: conditions more
  | _ -> bad "no condition"

let rule () = match words (next ()) with
  | _ :: arch :: first :: last :: value :: more ->
    { arch = u32 arch; first = u32 first; last = u32 last; returns = u32 value;
      conditions = conditions more }
  | _ -> bad "no rule"

let policy () =
  let rules = ref [] in
  while starts "rule" do rules := rule () :: !rules done;
  Policy { rules = List.rev !rules; other = u32 (entry "other") }

let read path =
  let input = open_in_bin path in
  let text = really_input_string input (in_channel_length input) in
  close_in input; text

(* SHA-256 of files, as sha256sum prints it: of many files at once. *)
let sha256 = Hashtbl.create 64
let hash_all paths =
  let name, names = Filename.open_temp_file "certificate" "" in
  List.iter (fun path -> output_string names (path ^ "\000")) paths;
  close_out names;
  let input = Unix.open_process_in ("xargs -0 -r -a " ^ name ^ " sha256sum") in
  (try List.iter (fun path ->
    Hashtbl.replace sha256 path (String.sub (input_line input) 0 64)) paths
  with End_of_file | Invalid_argument _ -> ());
  ignore (Unix.close_process_in input);
  Sys.remove name
let hash path = match Hashtbl.find_opt sha256 path with
  | Some h -> h
  | None -> bad ("no hash of " ^ path)

let program little words path =
  let bytes = read path in
  let count = String.length bytes / 8 in
  let name = Printf.sprintf "program %x %s" count (hash path) in
  if words <> name || count * 8 <> String.length bytes then bad "another program";
  let u16 at = if little then String.get_uint16_le bytes at else String.get_uint16_be bytes at in
  let u32_at at =
    let low, high = if little then u16 at, u16 (at + 2) else u16 (at + 2), u16 at in
    of_int (high * 65536 + low) in
  Program (List.init count (fun i ->
    { code = of_int (u16 (8 * i)); jt = of_int (Char.code bytes.[8 * i + 2]);
      jf = of_int (Char.code bytes.[8 * i + 3]); k = u32_at (8 * i + 4) }))

let side key little programs =
  let line = next () in
  if line = key ^ " policy" then policy ()
  else if String.starts_with ~prefix:(key ^ " program ") line then
    match !programs with
    | [] -> bad "a program is missing"
    | path :: more ->
      programs := more;
      program little (String.sub line 2 (String.length line - 2)) path
  else bad ("expected " ^ key)

let split left op k =
  let word, mask = match String.split_on_char '&' left with
    | [w] -> w, "ffffffff"
    | [w; m] -> w, m
    | _ -> bad "no split" in
  if String.length word <> 2 then bad "no split";
  let t_op = match op with "=" -> Is | ">=" -> AtLeast | _ -> bad "no split" in
  Split (u32 (String.sub word 1 1), { t_mask = u32 mask; t_op; t_k = u32 k })

let answer text = match words text with
  | ["returns"; v] -> Returns (u32 v)
  | ["rule"; i] -> ByRule (u32 i)
  | ["other"] -> ByOther
  | _ -> bad "no answer"

let line text =
  if String.starts_with ~prefix:"w" text then
    match words text with
    | [left; op; k] -> split left op k
    | _ -> bad "no split"
  else
    match String.split_on_char ',' text with
    | [x; y] when String.starts_with ~prefix:" " y ->
      Answers (answer x, answer (String.sub y 1 (String.length y - 1)))
    | _ -> bad "no line of a proof"

let check path programs =
  rest := String.split_on_char '\n' (read path);
  let little, claim = match words (next ()) with
    | ["seccomp-certificate"; "2"; order; claim] ->
      (match order with "little" -> true | "big" -> false | _ -> bad "no byte order"),
      (match claim with "equal" -> Equal | "within" -> Within | _ -> bad "no claim")
    | _ -> bad "not a certificate" in
  let programs = ref programs in
  let a = side "a" little programs in
  let b = side "b" little programs in
  if !programs <> [] then bad "there are more programs";
  let rec proof lines = match next () with
    | "end" -> List.rev lines
    | text -> proof (line text :: lines) in
  let lines = proof [] in
  if !rest <> [""] then bad "text after the end";
  if not (check_certificate little claim a b lines) then bad "the proof does not hold"

let report arguments = match arguments with
  | [] -> true
  | path :: programs ->
    match check path programs with
    | () -> print_endline "accepted"; true
    | exception (Bad why | Sys_error why) -> print_endline ("rejected: " ^ why); false

let rec lines_of input = match input_line input with
  | "" -> lines_of input
  | line -> let arguments = words line in arguments :: lines_of input
  | exception End_of_file -> []

let () =
  let all = match List.tl (Array.to_list Sys.argv) with
    | ["-"] -> lines_of stdin
    | arguments -> [arguments] in
  hash_all (List.sort_uniq compare (List.concat_map (function [] -> [] | _ :: l -> l) all));
  let ok = List.map report all in
  exit (if List.for_all Fun.id ok then 0 else 1)
