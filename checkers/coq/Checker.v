(** The checker of certificates, as docs/certificate.md describes it. *)

From Coq Require Import NArith List Bool.
From Certificate Require Import Bpf.
Import ListNotations.
Open Scope N_scope.

Definition word_bits := 0xffffffff.

(** The values that one word under one mask has in a box. *)
Record view := { word : N; kept : N; low : N; high : N; holes : list N }.
Definition box := list view.

Inductive test_op := Is | AtLeast.
Record test := { t_word : N; t_mask : N; t_op : test_op; t_k : N }.

Definition is_in (n : N) (l : list N) : bool := existsb (N.eqb n) l.

(** The bits that all values of a view share: those above the first bit in which
    its ends differ. *)
Definition fixed (v : view) : N :=
  let free := N.size (N.lxor v.(low) v.(high)) in
  N.shiftl (N.shiftr v.(kept) free) free.

Record bits := { known : N; ones : N; clash : bool }.

Definition add_view (b : bits) (v : view) : bits :=
  let f := fixed v in
  {| known := N.lor b.(known) f;
     ones := N.lor b.(ones) (N.land v.(low) f);
     clash := b.(clash)
       || negb (N.land (N.land (N.lxor b.(ones) v.(low)) b.(known)) f =? 0) |}.

Definition views_of (b : box) (w : N) : list view :=
  filter (fun v => v.(word) =? w) b.

Definition bits_of (vs : list view) : bits :=
  fold_left add_view vs {| known := 0; ones := 0; clash := false |}.

(** Narrows the bounds under mask [m] by a view whose mask differs from it only
    in known bits. *)
Definition narrow (b : bits) (m : N) (lh : N * N) (v : view) : N * N :=
  if N.ldiff (N.lxor v.(kept) m) b.(known) =? 0 then
    let plus := N.land b.(ones) (N.ldiff m v.(kept)) in
    let minus := N.land b.(ones) (N.ldiff v.(kept) m) in
    (N.max (fst lh) (v.(low) + plus - minus),
     N.min (snd lh) (v.(high) + plus - minus))
  else lh.

Definition bounds (vs : list view) (m : N) : N * N :=
  let b := bits_of vs in
  let least := N.land b.(ones) m in
  fold_left (narrow b m) vs (least, N.lor least (N.ldiff m b.(known))).

Definition holes_of (vs : list view) (m : N) : list N :=
  match find (fun v => v.(kept) =? m) vs with
  | Some v => v.(holes)
  | None => []
  end.

(** The result of a test for all inputs of a box. *)
Definition decide_test (b : box) (t : test) : option bool :=
  let vs := views_of b t.(t_word) in
  let k := t.(t_k) in
  let m := t.(t_mask) in
  let s := bits_of vs in
  let (l, h) := bounds vs m in
  if s.(clash) then Some false
  else if h <? k then Some false
  else match t.(t_op) with
  | AtLeast => if k <=? l then Some true else None
  | Is =>
    if (k <? l) || is_in k (holes_of vs m) || negb (N.ldiff k m =? 0)
       || negb (N.land (N.land (N.lxor k s.(ones)) s.(known)) m =? 0)
    then Some false
    else if l =? h then Some true else None
  end.

Definition is_own (t : test) (v : view) : bool :=
  (v.(word) =? t.(t_word)) && (v.(kept) =? t.(t_mask)).

Definition own (b : box) (t : test) : view :=
  match find (is_own t) b with
  | Some v => v
  | None => {| word := t.(t_word); kept := t.(t_mask); low := 0;
               high := t.(t_mask); holes := [] |}
  end.

(** The inputs of a box for which a test has a result. *)
Definition cut (b : box) (t : test) (passes : bool) : box :=
  let v := own b t in
  let k := t.(t_k) in
  let with_ := fun l h hs =>
    {| word := t.(t_word); kept := t.(t_mask); low := l; high := h; holes := hs |} in
  (match t.(t_op), passes with
   | Is, true => with_ (N.max v.(low) k) (N.min v.(high) k) v.(holes)
   | Is, false => with_ v.(low) v.(high) (k :: v.(holes))
   | AtLeast, true => with_ (N.max v.(low) k) v.(high) v.(holes)
   | AtLeast, false => with_ v.(low) (N.min v.(high) (k - 1)) v.(holes)
   end) :: filter (fun v => negb (is_own t v)) b.

Definition is_empty (b : box) : bool :=
  existsb (fun v =>
    let vs := views_of b v.(word) in
    let (l, h) := bounds vs v.(kept) in
    (bits_of vs).(clash) || (h <? l)
    || ((l =? h) && is_in l (holes_of vs v.(kept)))) b.

Definition not3 (a : option bool) : option bool := option_map negb a.
Definition and3 (a b : option bool) : option bool :=
  match a, b with
  | Some false, _ | _, Some false => Some false
  | Some true, Some true => Some true
  | _, _ => None
  end.
Definition or3 (a b : option bool) : option bool := not3 (and3 (not3 a) (not3 b)).

(** The result of a conditional jump on [word & m], if the box shows it. *)
Definition decide_jump (b : box) (w m c k : N) : option bool :=
  let on := fun m op k =>
    decide_test b {| t_word := w; t_mask := m; t_op := op; t_k := k |} in
  if c =? 0x15 then on m Is k
  else if c =? 0x25 then on m AtLeast (k + 1)
  else if c =? 0x35 then on m AtLeast k
  else if c =? 0x45 then not3 (on (N.land m k) Is 0)
  else None.

(** Follows a program on all inputs of a box; [acc] is the word and the mask in
    the register A. *)
Fixpoint follow (fuel : nat) (p : program) (b : box) (acc : option (N * N))
  : option N :=
  match fuel, p with
  | S f, i :: rest =>
    let c := i.(code) in
    if c =? 0x06 then Some i.(k)
    else if c =? 0x05 then follow f (skip i.(k) rest) b acc
    else if c =? 0x20 then
      if (i.(k) mod 4 =? 0) && (i.(k) <? 64)
      then follow f rest b (Some (i.(k) / 4, word_bits)) else None
    else match acc with
    | None => None
    | Some (w, m) =>
      if c =? 0x54 then follow f rest b (Some (w, N.land m i.(k)))
      else match decide_jump b w m c i.(k) with
      | Some yes => follow f (skip (if yes then i.(jt) else i.(jf)) rest) b acc
      | None => None
      end
    end
  | _, _ => None
  end.

(** A condition on 64 bits, decided by its halves. *)
Definition decide_condition (little : bool) (b : box) (c : condition) : option bool :=
  let half := fun w m op k => decide_test b {| t_word := w; t_mask := m; t_op := op; t_k := k |} in
  let hw := high_word little c.(arg) in
  let lw := low_word little c.(arg) in
  let (hm, lm) := (c.(bits_kept) / 2 ^ 32, c.(bits_kept) mod 2 ^ 32) in
  let (hk, lk) := (c.(value) / 2 ^ 32, c.(value) mod 2 ^ 32) in
  let same := half hw hm Is hk in
  let above := half hw hm AtLeast (hk + 1) in
  let equal := and3 same (half lw lm Is lk) in
  let at_least := fun k => or3 above (and3 same (half lw lm AtLeast k)) in
  match c.(relates) with
  | IsEq => equal
  | IsNe => not3 equal
  | IsLt => not3 (at_least lk)
  | IsLe => not3 (at_least (lk + 1))
  | IsGt => at_least (lk + 1)
  | IsGe => at_least lk
  end.

(** The reason for the answer of a policy. *)
Inductive reason := ByDefault | ByOther | ByRule (index : N).

Definition is_true (a : option bool) : bool :=
  match a with Some true => true | _ => false end.
Definition is_false (a : option bool) : bool :=
  match a with Some false => true | _ => false end.

(** Sets of numbers, as ranges. *)
Definition ranges := list (N * N).

Definition touches (f l : N) (open : ranges) : bool :=
  existsb (fun r => N.max (fst r) f <=? N.min (snd r) l) open.

Definition without (f l : N) (open : ranges) : ranges :=
  flat_map (fun r =>
    (if fst r <? f then [(fst r, N.min (snd r) (f - 1))] else [])
    ++ (if l <? snd r then [(N.max (fst r) (l + 1), snd r)] else [])) open.

(** The numbers of a box: from [l] to [h] without holes. *)
Definition numbers (l h : N) (hs : list N) : ranges :=
  fold_left (fun open n => without n n open) hs (if l <=? h then [(l, h)] else []).

Definition decide_conditions (little : bool) (b : box) (cs : list condition)
  : option bool :=
  fold_right (fun c r => and3 (decide_condition little b c) r) (Some true) cs.

(** The values of the rules that may match, and the numbers that are still open
    after them. *)
Fixpoint walk (little : bool) (b : box) (rs : list rule) (open : ranges)
  : list N * ranges :=
  match rs with
  | [] => ([], open)
  | r :: rest =>
    let matches := decide_conditions little b r.(conditions) in
    if negb (touches r.(first) r.(last) open) || is_false matches
    then walk little b rest open
    else
      let (values, left) := walk little b rest
        (if is_true matches then without r.(first) r.(last) open else open) in
      (r.(returns) :: values, left)
  end.

Fixpoint take {A} (n : N) (l : list A) : list A :=
  match l with
  | [] => []
  | x :: rest => if n =? 0 then [] else x :: take (n - 1) rest
  end.

Definition size {A} (l : list A) : N := N.of_nat (length l).

Definition arch_test (k : N) : test :=
  {| t_word := 1; t_mask := word_bits; t_op := Is; t_k := k |}.

(** The values that rules, or the default after them, may return in a box. *)
Definition values_of (little : bool) (b : box) (rules : list rule) (default : N)
  (why : reason) : option (list N) :=
  let vs := views_of b 0 in
  let (l, h) := bounds vs word_bits in
  let open := numbers l h (holes_of vs word_bits) in
  match why with
  | ByRule index =>
    match walk little b (take (index + 1) rules) open with
    | (values, []) => if index <? size rules then Some values else None
    | _ => None
    end
  | _ => Some (default :: fst (walk little b rules open))
  end.

(** The values that a policy may return in a box. *)
Definition answers (little : bool) (b : box) (p : policy) (why : reason) : option (list N) :=
  match why with
  | ByOther =>
    if forallb (fun a => is_false (decide_test b (arch_test (fst a)))) p.(arches)
    then Some [p.(other)] else None
  | _ =>
    match find (fun a => is_true (decide_test b (arch_test (fst a)))) p.(arches) with
    | Some (_, rules) => values_of little b rules p.(default) why
    | None => None
    end
  end.

(** A side, what a line of the proof says of it, and the values it may return. *)
Inductive side := Program (p : program) | Policy (p : policy).
Inductive answer := Returns (v : N) | Because (r : reason).

Definition side_values (little : bool) (b : box) (s : side) (a : answer) : option (list N) :=
  match s, a with
  | Program p, Returns v =>
    match follow (length p) p b None with
    | Some w => if v =? w then Some [w] else None
    | None => None
    end
  | Policy p, Because r => answers little b p r
  | _, _ => None
  end.

Inductive line := Split (t : test) | Empty | Answers (x y : answer).

Definition good_split (t : test) : bool :=
  match t.(t_op) with Is => true | AtLeast => negb (t.(t_k) =? 0) end.

(** Checks the proof: each line is about the part on top of the stack. *)
Fixpoint check (little : bool) (c : claim) (a b : side) (lines : list line)
  (parts : list box) : bool :=
  match lines, parts with
  | [], [] => true
  | Split t :: rest, p :: ps =>
    good_split t && check little c a b rest (cut p t true :: cut p t false :: ps)
  | Empty :: rest, p :: ps => is_empty p && check little c a b rest ps
  | Answers x y :: rest, p :: ps =>
    match side_values little p a x, side_values little p b y with
    | Some vs, Some ws => forallb (fun v => forallb (agree c v) ws) vs
    | _, _ => false
    end && check little c a b rest ps
  | _, _ => false
  end.

Definition check_certificate (little : bool) (c : claim) (a b : side)
  (lines : list line) : bool :=
  check little c a b lines [[]].
