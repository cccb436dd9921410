(** What a seccomp filter means, and what a policy means.

    Classic BPF as kernel/seccomp.c and net/core/filter.c run it (Linux 6.1),
    for the instructions that [seccomp_check_filter()] accepts. Numbers are [N];
    every word is below 2^32. *)

From Coq Require Import NArith List Bool.
Import ListNotations.
Open Scope N_scope.

(** [struct seccomp_data] as sixteen words of 32 bits: 0 is [nr], 1 is [arch], 2
    and 3 are the instruction pointer, 4 to 15 the arguments. The low half of 64
    bits is the word with the even number, on every machine. *)
Definition input := N -> N.
Definition valid (d : input) : Prop := forall i, d i < 2 ^ 32.

(** The word that is at byte [4 * i] in memory: on a big-endian machine, the high
    half of 64 bits comes first. *)
Definition word_at (little : bool) (i : N) : N :=
  if little || (i <? 2) then i else N.lxor i 1.

(** [struct sock_filter]. *)
Record instruction := { code : N; jt : N; jf : N; k : N }.
Definition program := list instruction.

(** The list without its first [n] elements. *)
Fixpoint skip {A} (n : N) (l : list A) : list A :=
  match l with
  | [] => []
  | _ :: rest => if n =? 0 then l else skip (n - 1) rest
  end.

(** One operation of the ALU; [None] ends the filter with 0: [div] by an X of 0. *)
Definition alu (op a b : N) : option N :=
  match op with
  | 0x00 => Some ((a + b) mod 2 ^ 32)
  | 0x10 => Some ((a + 2 ^ 32 - b) mod 2 ^ 32)
  | 0x20 => Some ((a * b) mod 2 ^ 32)
  | 0x30 => if b =? 0 then None else Some (a / b)
  | 0x40 => Some (N.lor a b)
  | 0x50 => Some (N.land a b)
  | 0x60 => Some (N.shiftl a (b mod 32) mod 2 ^ 32)
  | 0x70 => Some (N.shiftr a (b mod 32))
  | 0xa0 => Some (N.lxor a b)
  | _ => Some ((2 ^ 32 - a) mod 2 ^ 32) (* 0x80: neg *)
  end.

Definition jump (op a b : N) : bool :=
  match op with
  | 0x10 => a =? b
  | 0x20 => b <? a
  | 0x30 => b <=? a
  | _ => negb (N.land a b =? 0) (* 0x40: jset *)
  end.

Definition store (m : N -> N) (at_ v : N) : N -> N :=
  fun i => if i =? at_ then v else m i.

(** Runs the instructions that are left, with the registers A and X and the
    scratch memory. [None]: not a filter that the kernel accepts. *)
Fixpoint exec (little : bool) (fuel : nat) (p : program) (d : input) (a x : N)
  (m : N -> N) : option N :=
  match fuel, p with
  | S f, i :: rest =>
    let c := i.(code) in
    let next := fun a x m => exec little f rest d a x m in
    let arith := fun op b =>
      match alu op a b with Some v => next v x m | None => Some 0 end in
    let branch := fun op b =>
      exec little f (skip (if jump op a b then i.(jt) else i.(jf)) rest) d a x m in
    match c with
    | 0x20 => if (i.(k) mod 4 =? 0) && (i.(k) <? 64)
              then next (d (word_at little (i.(k) / 4))) x m else None
    | 0x80 => next 64 x m
    | 0x81 => next a 64 m
    | 0x00 => next i.(k) x m
    | 0x01 => next a i.(k) m
    | 0x60 => next (m i.(k)) x m
    | 0x61 => next a (m i.(k)) m
    | 0x02 => next a x (store m i.(k) a)
    | 0x03 => next a x (store m i.(k) x)
    | 0x07 => next a a m
    | 0x87 => next x x m
    | 0x06 => Some i.(k)
    | 0x16 => Some a
    | 0x05 => exec little f (skip i.(k) rest) d a x m
    | 0x15 | 0x25 | 0x35 | 0x45 => branch (c - 0x05) i.(k)
    | 0x1d | 0x2d | 0x3d | 0x4d => branch (c - 0x0d) x
    | 0x04 | 0x14 | 0x24 | 0x34 | 0x44 | 0x54 | 0x64 | 0x74 | 0xa4 | 0x84 =>
      arith (c - 0x04) i.(k)
    | 0x0c | 0x1c | 0x2c | 0x3c | 0x4c | 0x5c | 0x6c | 0x7c | 0xac =>
      arith (c - 0x0c) x
    | _ => None
    end
  | _, _ => None
  end.

(** The value that a filter returns. *)
Definition run (little : bool) (p : program) (d : input) : option N :=
  exec little (length p) p d 0 0 (fun _ => 0).

(** Policies: the first rule that matches decides. *)
Inductive relation := IsEq | IsNe | IsLt | IsLe | IsGt | IsGe.
Record condition := { arg : N; relates : relation; bits_kept : N; value : N }.
Record rule :=
  { arch : N; first : N; last : N; returns : N; conditions : list condition }.
Record policy := { rules : list rule; other : N }.

(** An argument has 64 bits. *)
Definition low_word (i : N) : N := 4 + 2 * i.
Definition high_word (i : N) : N := 5 + 2 * i.
Definition argument (d : input) (i : N) : N :=
  d (high_word i) * 2 ^ 32 + d (low_word i).

Definition holds (d : input) (c : condition) : bool :=
  let v := N.land (argument d c.(arg)) c.(bits_kept) in
  match c.(relates) with
  | IsEq => v =? c.(value)
  | IsNe => negb (v =? c.(value))
  | IsLt => v <? c.(value)
  | IsLe => v <=? c.(value)
  | IsGt => c.(value) <? v
  | IsGe => c.(value) <=? v
  end.

Definition matches (d : input) (r : rule) : bool :=
  (r.(first) <=? d 0) && (d 0 <=? r.(last)) && (d 1 =? r.(arch))
  && forallb (holds d) r.(conditions).

Definition answer_of (found : option rule) (other : N) : N :=
  match found with Some r => r.(returns) | None => other end.
Definition decide (p : policy) (d : input) : N :=
  answer_of (find (matches d) p.(rules)) p.(other).

(** The kernel's action on a value, [__seccomp_filter()]: an errno is at most
    4095, data that nobody sees is 0, an unknown action kills the process. *)
Definition action (v : N) : N := N.land v 0xffff0000.
Definition effect (v : N) : N :=
  match action v with
  | 0x00030000 | 0x7ff00000 => v
  | 0x00050000 => N.lor 0x00050000 (N.min (N.land v 0xffff) 4095)
  | 0x00000000 | 0x7fc00000 | 0x7ffc0000 | 0x7fff0000 => action v
  | _ => 0x80000000
  end.

(** Actions are compared as signed numbers, [seccomp_run_filters()]; the lowest
    is the strictest. *)
Definition rank (v : N) : N := N.lxor (action (effect v)) 0x80000000.

Inductive claim := Equal | Within.
Definition agree (c : claim) (a b : N) : bool :=
  match c with
  | Equal => effect a =? effect b
  | Within => rank a <=? rank b
  end.
