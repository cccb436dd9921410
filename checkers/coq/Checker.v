(** The checker of certificates, as docs/certificate.md describes it. *)

From Coq Require Import NArith List Bool.
From Certificate Require Import Bpf.
Import ListNotations.
Open Scope N_scope.

Definition word_bits := 0xffffffff.

(** * Words *)

(** What is known of a word: bits that have one value, and these values; the
    lowest and the highest value; for each hole, a mask and the value that the
    word does not have under it. *)
Record facts := { known : N; bits : N; low : N; high : N; holes : list (N * N) }.

Definition any : facts :=
  {| known := 0; bits := 0; low := 0; high := word_bits; holes := [] |}.

(** A test: [word & t_mask = t_k], or [word & t_mask >= t_k]. *)
Inductive test_op := Is | AtLeast.
Record test := { t_mask : N; t_op : test_op; t_k : N }.

(** Adds the result of a test to what is known; [None] if it cannot be. *)
Definition add (f : facts) (t : test) (passes : bool) : option facts :=
  let m := t.(t_mask) in
  let k := t.(t_k) in
  let rest := N.ldiff f.(bits) m in
  let exact := N.ldiff (N.ldiff word_bits m) f.(known) =? 0 in
  let within l h :=
    Some {| known := f.(known); bits := f.(bits); low := l; high := h; holes := f.(holes) |} in
  match t.(t_op), passes with
  | AtLeast, true =>
    if N.lor (N.land f.(bits) m) (N.ldiff m f.(known)) <? k then None
    else if exact then within (N.max f.(low) (k + rest)) f.(high) else Some f
  | AtLeast, false =>
    if k <=? N.land f.(bits) m then None
    else if exact then within f.(low) (N.min f.(high) (k + rest - 1)) else Some f
  | Is, true =>
    if (N.ldiff k m =? 0) && (N.land (N.land (N.lxor f.(bits) k) f.(known)) m =? 0)
    then Some {| known := N.lor f.(known) m; bits := N.lor f.(bits) k;
                 low := f.(low); high := f.(high); holes := f.(holes) |}
    else None
  | Is, false =>
    if N.ldiff k m =? 0
    then Some {| known := f.(known); bits := f.(bits); low := f.(low); high := f.(high);
                 holes := f.(holes) ++ [(m, k)] |}
    else Some f
  end.

(** The values of an interval share the leading bits that its ends share. *)
Definition shared (l h : N) : N :=
  let free := N.size (N.lxor l h) in N.shiftl (N.shiftr word_bits free) free.

(** If all bits of a hole but one are known, and those of the hole, the last bit
    is not that of the hole. *)
Fixpoint fill (hs : list (N * N)) (kn bs : N) : option (N * N) :=
  match hs with
  | [] => Some (kn, bs)
  | (m, k) :: rest =>
    let open := N.ldiff m kn in
    if (N.land (N.land (N.lxor bs k) kn) m =? 0) && (N.land open (open - 1) =? 0)
    then if open =? 0 then None else fill rest (N.lor kn open) (N.lor bs (N.ldiff open k))
    else fill rest kn bs
  end.

(** Draws conclusions; [None] if there is a contradiction. *)
Definition conclude (f : facts) : option facts :=
  let (l, h) := (f.(low), f.(high)) in
  let s := shared l h in
  if h <? l then None
  else if N.land (N.land (N.lxor f.(bits) l) f.(known)) s =? 0 then
    match fill f.(holes) (N.lor f.(known) s) (N.lor f.(bits) (N.land l s)) with
    | Some (kn, bs) =>
      let l := N.max l bs in
      let h := N.min h (N.lor bs (N.ldiff word_bits kn)) in
      if h <? l then None
      else Some {| known := kn; bits := bs; low := l; high := h; holes := f.(holes) |}
    | None => None
    end
  else None.

Definition cut (f : facts) (t : test) (passes : bool) : option facts :=
  match add f t passes with Some g => conclude g | None => None end.

(** The result of a test, if what is known shows it. *)
Definition decide_test (f : facts) (t : test) : option bool :=
  match cut f t true, cut f t false with
  | None, _ => Some false
  | _, None => Some true
  | _, _ => None
  end.

(** * Boxes: what is known of each word *)

Definition box := list facts.
Definition get (b : box) (w : N) : facts := nth (N.to_nat w) b any.

Fixpoint set (b : box) (n : nat) (f : facts) : box :=
  match n, b with
  | O, [] => [f]
  | O, _ :: rest => f :: rest
  | S n, [] => any :: set [] n f
  | S n, g :: rest => g :: set rest n f
  end.

Definition on (b : box) (w m : N) (op : test_op) (k : N) : option bool :=
  decide_test (get b w) {| t_mask := m; t_op := op; t_k := k |}.

Definition not3 (a : option bool) : option bool := option_map negb a.
Definition and3 (a b : option bool) : option bool :=
  match a, b with
  | Some false, _ | _, Some false => Some false
  | Some true, Some true => Some true
  | _, _ => None
  end.
Definition or3 (a b : option bool) : option bool := not3 (and3 (not3 a) (not3 b)).

(** * Programs *)

(** The result of a conditional jump on [word & m]. *)
Definition decide_jump (b : box) (w m c k : N) : option bool :=
  if c =? 0x15 then on b w m Is k
  else if c =? 0x25 then on b w m AtLeast (k + 1)
  else if c =? 0x35 then on b w m AtLeast k
  else if c =? 0x45 then not3 (on b w (N.land m k) Is 0)
  else None.

(** Follows a program on all inputs of a box; [acc] is the word and the mask in
    the register A. *)
Fixpoint follow (little : bool) (fuel : nat) (p : program) (b : box)
  (acc : option (N * N)) : option N :=
  match fuel, p with
  | S f, i :: rest =>
    let c := i.(code) in
    if c =? 0x06 then Some i.(k)
    else if c =? 0x05 then follow little f (skip i.(k) rest) b acc
    else if c =? 0x20 then
      if (i.(k) mod 4 =? 0) && (i.(k) <? 64)
      then follow little f rest b (Some (word_at little (i.(k) / 4), word_bits)) else None
    else match acc with
    | None => None
    | Some (w, m) =>
      if c =? 0x54 then follow little f rest b (Some (w, N.land m i.(k)))
      else match decide_jump b w m c i.(k) with
      | Some yes =>
        follow little f (skip (if yes then i.(jt) else i.(jf)) rest) b acc
      | None => None
      end
    end
  | _, _ => None
  end.

(** * Policies *)

(** A condition on 64 bits, decided by its halves. *)
Definition decide_condition (b : box) (c : condition) : option bool :=
  let hw := high_word c.(arg) in
  let lw := low_word c.(arg) in
  let (hm, lm) := (c.(bits_kept) / 2 ^ 32, c.(bits_kept) mod 2 ^ 32) in
  let (hk, lk) := (c.(value) / 2 ^ 32, c.(value) mod 2 ^ 32) in
  let same := on b hw hm Is hk in
  let above := on b hw hm AtLeast (hk + 1) in
  let equal := and3 same (on b lw lm Is lk) in
  let at_least := fun k => or3 above (and3 same (on b lw lm AtLeast k)) in
  match c.(relates) with
  | IsEq => equal
  | IsNe => not3 equal
  | IsLt => not3 (at_least lk)
  | IsLe => not3 (at_least (lk + 1))
  | IsGt => at_least (lk + 1)
  | IsGe => at_least lk
  end.

Definition decide_conditions (b : box) (cs : list condition) : option bool :=
  fold_right (fun c r => and3 (decide_condition b c) r) (Some true) cs.

(** The result of a rule. *)
Definition decide_rule (b : box) (r : rule) : option bool :=
  let nr := get b 0 in
  if (r.(last) <? nr.(low)) || (nr.(high) <? r.(first)) then Some false
  else
    and3 (and3 (if (r.(first) <=? nr.(low)) && (nr.(high) <=? r.(last))
                then Some true else None)
               (on b 1 word_bits Is r.(arch)))
         (decide_conditions b r.(conditions)).

(** Rules with their indices. *)
Definition numbered := list (N * rule).
Fixpoint number (n : N) (rs : list rule) : numbered :=
  match rs with [] => [] | r :: rest => (n, r) :: number (n + 1) rest end.

(** What a policy may answer in a box, and the rule that matches everywhere. *)
Fixpoint walk (b : box) (rs : numbered) (other : N) : list N * option N :=
  match rs with
  | [] => ([other], None)
  | (i, r) :: rest =>
    match decide_rule b r with
    | Some false => walk b rest other
    | Some true => ([r.(returns)], Some i)
    | None => let (values, why) := walk b rest other in (r.(returns) :: values, why)
    end
  end.

Definition is_false (a : option bool) : bool :=
  match a with Some false => true | _ => false end.

(** The rules that may match in a box. *)
Definition keep (b : box) (rs : numbered) : numbered :=
  filter (fun ir => negb (is_false (decide_rule b (snd ir)))) rs.

(** * Certificates *)

Inductive side := Program (p : program) | Policy (p : policy).
(** What a line of the proof says of a side. *)
Inductive answer := Returns (v : N) | ByRule (index : N) | ByOther.
Inductive line := Split (w : N) (t : test) | Answers (x y : answer).

(** Some of all inputs, with the rules of each side that may match. *)
Record part := { of : box; rules_a : numbered; rules_b : numbered }.

(** The values that a side may return, if the line is right. *)
Definition side_values (little : bool) (b : box) (rs : numbered) (s : side) (a : answer)
  : option (list N) :=
  match s with
  | Program p =>
    match follow little (length p) p b None, a with
    | Some w, Returns v => if v =? w then Some [w] else None
    | _, _ => None
    end
  | Policy p =>
    match walk b rs p.(other), a with
    | (values, Some i), ByRule j => if i =? j then Some values else None
    | (values, None), ByOther => Some values
    | _, _ => None
    end
  end.

(** The inputs of a part for which a test has a result: one part, or none. *)
Definition cut_part (p : part) (w : N) (t : test) (passes : bool) : list part :=
  match cut (get p.(of) w) t passes with
  | None => []
  | Some f =>
    let b := set p.(of) (N.to_nat w) f in
    [{| of := b; rules_a := keep b p.(rules_a); rules_b := keep b p.(rules_b) |}]
  end.

(** Checks the proof: each line is about the part on top of the stack. *)
Fixpoint check (little : bool) (c : claim) (a b : side) (lines : list line)
  (parts : list part) : bool :=
  match lines, parts with
  | [], [] => true
  | Split w t :: rest, p :: ps =>
    check little c a b rest (cut_part p w t true ++ cut_part p w t false ++ ps)
  | Answers x y :: rest, p :: ps =>
    match side_values little p.(of) p.(rules_a) a x,
          side_values little p.(of) p.(rules_b) b y with
    | Some vs, Some ws => forallb (fun v => forallb (agree c v) ws) vs
    | _, _ => false
    end && check little c a b rest ps
  | _, _ => false
  end.

Definition rules_of (s : side) : numbered :=
  match s with Program _ => [] | Policy p => number 0 p.(rules) end.

Definition check_certificate (little : bool) (c : claim) (a b : side)
  (lines : list line) : bool :=
  check little c a b lines
    [{| of := []; rules_a := rules_of a; rules_b := rules_of b |}].
