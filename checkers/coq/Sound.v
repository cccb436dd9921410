(** If the checker accepts, the claim is true for every input. *)

From Coq Require Import NArith List Bool Lia.
From Certificate Require Import Bpf Checker.
Import ListNotations.
Open Scope N_scope.

(** * Words and bits *)

Lemma land_same_bits x y z : (forall i, N.testbit z i = true -> N.testbit x i = N.testbit y i) ->
  N.land x z = N.land y z.
Proof.
  intros H. apply N.bits_inj. intros i. rewrite !N.land_spec.
  destruct (N.testbit z i) eqn:E; [rewrite (H i E)|rewrite !andb_false_r]; reflexivity.
Qed.

Lemma same_bits_land x y z i : N.land x z = N.land y z ->
  N.testbit z i = true -> N.testbit x i = N.testbit y i.
Proof.
  intros H E. assert (G : N.testbit (N.land x z) i = N.testbit (N.land y z) i) by now rewrite H.
  rewrite !N.land_spec, E, !andb_true_r in G. exact G.
Qed.

Lemma subset_le a b : (forall i, N.testbit a i = true -> N.testbit b i = true) -> a <= b.
Proof.
  intros H. apply N.ldiff_le. apply N.bits_inj_0. intros i.
  rewrite N.ldiff_spec. destruct (N.testbit a i) eqn:E; [rewrite (H i E)|]; reflexivity.
Qed.

(** The leading bits of the ends of an interval are those of its values. *)
Lemma shared_prefix l h y : l <= y <= h ->
  forall i, N.size (N.lxor l h) <= i -> N.testbit y i = N.testbit l i.
Proof.
  intros [Hl Hh] i Hi. set (n := N.size (N.lxor l h)) in *.
  assert (E : N.shiftr l n = N.shiftr h n).
  { apply N.lxor_eq. rewrite <- N.shiftr_lxor. apply N.bits_inj_0. intros j.
    rewrite N.shiftr_spec'. destruct (N.eq_dec (N.lxor l h) 0) as [Z|Z].
    - rewrite Z. apply N.bits_0.
    - apply N.bits_above_log2. unfold n. rewrite N.size_log2 by exact Z. lia. }
  assert (P : forall a b, a <= b -> N.shiftr a n <= N.shiftr b n).
  { intros a b Hab. rewrite !N.shiftr_div_pow2. apply N.div_le_mono; [|exact Hab].
    apply N.pow_nonzero. lia. }
  assert (F : N.shiftr y n = N.shiftr l n) by (pose proof (P _ _ Hl); pose proof (P _ _ Hh); lia).
  replace i with ((i - n) + n) by lia. rewrite <- !N.shiftr_spec', F. reflexivity.
Qed.

(** * Words *)

(** Facts are true of a word. *)
Definition hole_ok (x : N) (h : N * N) : Prop :=
  N.ldiff (snd h) (fst h) = 0 /\ N.land x (fst h) <> snd h.
Definition fits (x : N) (f : facts) : Prop :=
  N.land x f.(known) = f.(bits) /\ f.(low) <= x <= f.(high) /\ Forall (hole_ok x) f.(holes).

Definition passes (x : N) (t : test) : bool :=
  match t.(t_op) with
  | Is => N.land x t.(t_mask) =? t.(t_k)
  | AtLeast => t.(t_k) <=? N.land x t.(t_mask)
  end.

(** Bits of numbers that are given by [land] and the like. *)
Ltac bits i := apply N.bits_inj; intros i;
  rewrite ?N.lxor_spec, ?N.lor_spec, ?N.ldiff_spec, ?N.land_spec, ?N.lxor_spec, ?N.lor_spec,
    ?N.ldiff_spec, ?N.land_spec, ?N.bits_0.
Lemma bit_zero a i : a = 0 -> N.testbit a i = false.
Proof. intros ->. apply N.bits_0. Qed.

Lemma word_bits_spec i : N.testbit word_bits i = (i <? 32).
Proof.
  change word_bits with (N.ones 32). destruct (N.ltb_spec i 32) as [H|H].
  - now apply N.ones_spec_low.
  - now apply N.ones_spec_high.
Qed.

Lemma word_bit x i : x < 2 ^ 32 -> N.testbit x i = true -> i < 32.
Proof.
  intros H E. destruct (N.lt_ge_cases i 32) as [L|G]; [exact L|].
  destruct (N.eq_dec x 0) as [->|Z]; [now rewrite N.bits_0 in E|].
  assert (L : N.log2 x < 32) by (apply N.log2_lt_pow2; lia).
  rewrite N.bits_above_log2 in E by lia. discriminate.
Qed.

Lemma split_land x m : x = N.land x m + N.ldiff x m.
Proof.
  rewrite N.add_nocarry_lxor.
  - bits i. destruct (N.testbit x i), (N.testbit m i); reflexivity.
  - bits i. destruct (N.testbit x i), (N.testbit m i); reflexivity.
Qed.

Lemma exact_ok x f m : x < 2 ^ 32 -> fits x f ->
  N.ldiff (N.ldiff word_bits m) f.(known) = 0 -> N.ldiff x m = N.ldiff f.(bits) m.
Proof.
  intros Hx [Hb _] E. rewrite <- Hb. bits i.
  pose proof (bit_zero _ i E) as B. rewrite !N.ldiff_spec, word_bits_spec in B.
  destruct (N.testbit x i) eqn:X; [|reflexivity]. apply (word_bit x i Hx) in X.
  apply N.ltb_lt in X. rewrite X in B.
  destruct (N.testbit m i), (N.testbit (known f) i); cbn [andb negb] in *; congruence.
Qed.

Lemma add_ok x f t : x < 2 ^ 32 -> fits x f -> exists g, add f t (passes x t) = Some g /\ fits x g.
Proof.
  intros Hx F. pose proof F as (Hb & Hl & Hh). unfold add, passes.
  set (m := t_mask t). set (k := t_k t). cbv zeta.
  pose proof (exact_ok x f m Hx F) as Ex. pose proof (split_land x m) as S.
  destruct (t_op t).
  - destruct (N.land x m =? k) eqn:E.
    + apply N.eqb_eq in E.
      replace (N.ldiff k m =? 0) with true.
      2: { symmetry. apply N.eqb_eq. rewrite <- E. bits i.
           destruct (N.testbit x i), (N.testbit m i); reflexivity. }
      replace (N.land (N.land (N.lxor (bits f) k) (known f)) m =? 0) with true.
      2: { symmetry. apply N.eqb_eq. rewrite <- E, <- Hb. bits i.
           destruct (N.testbit x i), (N.testbit m i), (N.testbit (known f) i); reflexivity. }
      eexists. split; [reflexivity|]. split; [|now split]. cbn.
      now rewrite N.land_lor_distr_r, Hb, E.
    + apply N.eqb_neq in E. destruct (N.ldiff k m =? 0) eqn:D; [|exists f; split; [reflexivity|exact F]].
      apply N.eqb_eq in D. eexists. split; [reflexivity|]. split; [exact Hb|]. split; [exact Hl|].
      cbn. apply Forall_app. split; [exact Hh|]. constructor; [|constructor]. now split.
  - assert (Lo : N.land (bits f) m <= N.land x m).
    { apply subset_le. intros i. rewrite <- Hb, !N.land_spec, !andb_true_iff. tauto. }
    assert (Hi : N.land x m <= N.lor (N.land (bits f) m) (N.ldiff m (known f))).
    { apply subset_le. intros i. rewrite <- Hb, N.lor_spec, N.ldiff_spec, !N.land_spec.
      destruct (N.testbit x i), (N.testbit m i), (N.testbit (known f) i); cbn; congruence. }
    destruct (k <=? N.land x m) eqn:E.
    + apply N.leb_le in E. destruct (_ <? k) eqn:A; [apply N.ltb_lt in A; lia|].
      destruct (_ =? 0) eqn:D; [|exists f; split; [reflexivity|exact F]]. apply N.eqb_eq in D. specialize (Ex D).
      eexists. split; [reflexivity|]. split; [exact Hb|]. split; [cbn; lia|exact Hh].
    + apply N.leb_gt in E. destruct (k <=? _) eqn:A; [apply N.leb_le in A; lia|].
      destruct (_ =? 0) eqn:D; [|exists f; split; [reflexivity|exact F]]. apply N.eqb_eq in D. specialize (Ex D).
      eexists. split; [reflexivity|]. split; [exact Hb|]. split; [cbn; lia|exact Hh].
Qed.

Lemma shared_ok x l h : x < 2 ^ 32 -> l <= x <= h -> N.land x (shared l h) = N.land l (shared l h).
Proof.
  intros Hx H. apply land_same_bits. intros i E. apply (shared_prefix _ _ _ H).
  unfold shared in E. set (n := N.size _) in *. destruct (N.lt_ge_cases i n) as [L|G]; [|exact G].
  now rewrite N.shiftl_spec_low in E.
Qed.

(** A number with [a & (a - 1) = 0] has at most one bit. *)
Lemma one_bit a : a <> 0 -> N.land a (a - 1) = 0 -> a = 2 ^ N.log2 a.
Proof.
  intros Z E. destruct (N.log2_spec a) as [L H]; [lia|].
  destruct (N.eq_dec a (2 ^ N.log2 a)) as [Q|Q]; [exact Q|].
  assert (G : N.log2 (a - 1) = N.log2 a) by (apply N.log2_unique; lia).
  pose proof (bit_zero _ (N.log2 a) E) as B. rewrite N.land_spec, N.bit_log2 in B by exact Z.
  assert (P : 2 ^ N.log2 a <> 0) by (apply N.pow_nonzero; lia).
  rewrite <- G, N.bit_log2 in B by lia. discriminate.
Qed.

Lemma fill_ok x : forall hs kn bs, N.land x kn = bs -> Forall (hole_ok x) hs ->
  exists kn' bs', fill hs kn bs = Some (kn', bs') /\ N.land x kn' = bs'.
Proof.
  induction hs as [|[m k] hs IH]; intros kn bs Hb Hh; [now exists kn, bs|].
  inversion Hh as [|? ? [Hk Hn] Hr]; subst. cbn in Hk, Hn. cbn [fill].
  destruct (_ && _) eqn:C; [|now apply IH].
  apply andb_true_iff in C. destruct C as [C O]. apply N.eqb_eq in C. apply N.eqb_eq in O.
  (* Bits of the hole that are known are those of the word. *)
  assert (Same : forall i, N.testbit m i = true -> N.testbit kn i = true ->
    N.testbit x i = N.testbit k i).
  { intros i M K. pose proof (bit_zero _ i C) as B.
    rewrite !N.land_spec, N.lxor_spec, N.land_spec, M, K in B.
    destruct (N.testbit x i), (N.testbit k i); cbn in B; congruence. }
  assert (Out : forall i, N.testbit m i = false -> N.testbit k i = false).
  { intros i M. pose proof (bit_zero _ i Hk) as B. rewrite N.ldiff_spec, M in B.
    now rewrite andb_true_r in B. }
  set (open := N.ldiff m kn) in *.
  assert (All : (forall i, N.testbit open i = true -> N.testbit x i = N.testbit k i) -> False).
  { intros A. apply Hn. apply N.bits_inj. intros i. rewrite N.land_spec.
    destruct (N.testbit m i) eqn:M; [|rewrite andb_false_r; symmetry; now apply Out].
    rewrite andb_true_r. destruct (N.testbit kn i) eqn:K; [now apply Same|].
    apply A. unfold open. now rewrite N.ldiff_spec, M, K. }
  destruct (open =? 0) eqn:Z.
  - apply N.eqb_eq in Z. exfalso. apply All. intros i E. now rewrite Z, N.bits_0 in E.
  - apply N.eqb_neq in Z. apply IH; [|exact Hr]. rewrite N.land_lor_distr_r. f_equal.
    pose proof (one_bit open Z O) as P. set (n := N.log2 open) in *.
    assert (Bit : forall i, N.testbit open i = (n =? i)) by (intros i; rewrite P; apply N.pow2_bits_eqb).
    apply N.bits_inj. intros i. rewrite N.land_spec, N.ldiff_spec, Bit.
    destruct (n =? i) eqn:Q; [|now rewrite andb_false_r]. apply N.eqb_eq in Q. subst i.
    rewrite andb_true_r. cbn. destruct (Bool.bool_dec (N.testbit x n) (N.testbit k n)) as [S|S].
    + exfalso. apply All. intros i E. rewrite Bit in E. apply N.eqb_eq in E. now subst i.
    + destruct (N.testbit x n), (N.testbit k n); cbn [negb]; congruence.
Qed.

Lemma conclude_ok x f : x < 2 ^ 32 -> fits x f -> exists g, conclude f = Some g /\ fits x g.
Proof.
  intros Hx (Hb & Hl & Hh). unfold conclude. pose proof (shared_ok x _ _ Hx Hl) as S.
  set (s := shared (low f) (high f)) in *.
  destruct (high f <? low f) eqn:E; [apply N.ltb_lt in E; lia|].
  replace (N.land (N.land (N.lxor (bits f) (low f)) (known f)) s =? 0) with true.
  2: { symmetry. apply N.eqb_eq. rewrite <- Hb. bits i.
       destruct (N.testbit s i) eqn:B; [|now rewrite andb_false_r].
       rewrite <- (same_bits_land _ _ _ i S B).
       destruct (N.testbit x i), (N.testbit (known f) i); reflexivity. }
  destruct (fill_ok x (holes f) (N.lor (known f) s) (N.lor (bits f) (N.land (low f) s)))
    as (kn & bs & F & K); [now rewrite N.land_lor_distr_r, Hb, S|exact Hh|].
  rewrite F.
  assert (Lo : bs <= x).
  { apply subset_le. intros i. rewrite <- K, N.land_spec, andb_true_iff. tauto. }
  assert (Hi : x <= N.lor bs (N.ldiff word_bits kn)).
  { apply subset_le. intros i B. pose proof (word_bit x i Hx B) as L. apply N.ltb_lt in L.
    rewrite <- K, N.lor_spec, N.ldiff_spec, N.land_spec, word_bits_spec, L, B.
    now destruct (N.testbit kn i). }
  destruct (N.min _ _ <? N.max _ _) eqn:G; [apply N.ltb_lt in G; lia|].
  eexists. split; [reflexivity|]. split; [exact K|]. split; [|exact Hh].
  cbn [low high]. clear S s F Hx. lia.
Qed.

Theorem cut_ok x f t : x < 2 ^ 32 -> fits x f ->
  exists g, cut f t (passes x t) = Some g /\ fits x g.
Proof.
  intros Hx F. unfold cut. destruct (add_ok x f t Hx F) as (g & -> & G). now apply conclude_ok.
Qed.

Theorem decide_test_ok x f t r : x < 2 ^ 32 -> fits x f -> decide_test f t = Some r ->
  passes x t = r.
Proof.
  intros Hx F. destruct (cut_ok x f t Hx F) as (g & E & _). unfold decide_test.
  destruct (passes x t); rewrite E.
  - destruct (cut f t false); intros [= <-]; reflexivity.
  - destruct (cut f t true); intros [= <-]; reflexivity.
Qed.

(** * Boxes *)

Definition box_ok (d : input) (b : box) : Prop := forall w, fits (d w) (get b w).

Lemma any_ok x : x < 2 ^ 32 -> fits x any.
Proof.
  intros H. split; [apply N.land_0_r|]. split; [|constructor]. cbn.
  change word_bits with (2 ^ 32 - 1). lia.
Qed.

Lemma nth_set : forall n b f i, nth i (set b n f) any = if Nat.eqb i n then f else nth i b any.
Proof.
  induction n as [|n IH]; intros [|g b] f [|i]; cbn; try reflexivity.
  - now destruct i.
  - rewrite IH. destruct (Nat.eqb i n); [reflexivity|now destruct i].
  - apply IH.
Qed.

Lemma set_ok d b w f : box_ok d b -> fits (d w) f -> box_ok d (set b (N.to_nat w) f).
Proof.
  intros Hb Hf v. unfold get. rewrite nth_set. destruct (Nat.eqb _ _) eqn:E; [|apply Hb].
  apply PeanoNat.Nat.eqb_eq, Nnat.N2Nat.inj in E. now subst v.
Qed.

Lemma on_ok d b w m op k r : valid d -> box_ok d b -> on b w m op k = Some r ->
  passes (d w) {| t_mask := m; t_op := op; t_k := k |} = r.
Proof. intros Hd Hb. apply decide_test_ok; [apply Hd|apply Hb]. Qed.

(** * Programs *)

Lemma not3_some a r : not3 a = Some r -> a = Some (negb r).
Proof. destruct a as [[]|]; cbn; intros [= <-]; reflexivity. Qed.

Lemma decide_jump_ok d b w m c k r : valid d -> box_ok d b -> decide_jump b w m c k = Some r ->
  (c = 0x15 \/ c = 0x25 \/ c = 0x35 \/ c = 0x45) /\
  jump (c - 0x05) (N.land (d w) m) k = r.
Proof.
  intros Hd Hb. unfold decide_jump.
  destruct (c =? 0x15) eqn:E1; [|destruct (c =? 0x25) eqn:E2;
    [|destruct (c =? 0x35) eqn:E3; [|destruct (c =? 0x45) eqn:E4; [|discriminate]]]];
  rewrite N.eqb_eq in *; subst c; intros H; (split; [tauto|]).
  - now apply (on_ok d) in H.
  - apply (on_ok d) in H; [|exact Hd|exact Hb]. unfold passes in H. cbn in *. rewrite <- H.
    destruct (_ <? _) eqn:A, (_ <=? _) eqn:B; try reflexivity;
    rewrite ?N.ltb_lt, ?N.ltb_ge, ?N.leb_le, ?N.leb_gt in *; lia.
  - now apply (on_ok d) in H.
  - apply not3_some in H. apply (on_ok d) in H; [|exact Hd|exact Hb]. unfold passes in H.
    cbn in *. rewrite <- N.land_assoc, H. now destruct r.
Qed.

Lemma full_mask x : x < 2 ^ 32 -> N.land x word_bits = x.
Proof. intros H. change word_bits with (N.ones 32). rewrite N.land_ones. now apply N.mod_small. Qed.

Lemma follow_ok little d b : valid d -> box_ok d b -> forall f p acc a x m v,
  match acc with Some (w, n) => a = N.land (d w) n | None => True end ->
  follow little f p b acc = Some v -> exec little f p d a x m = Some v.
Proof.
  intros Hd Hb. induction f as [|f IH]; intros p acc a x m v Ha H; [discriminate|].
  destruct p as [|i rest]; [discriminate|]. cbn in H. cbn.
  destruct (code i =? 0x06) eqn:E1; [apply N.eqb_eq in E1; rewrite E1; exact H|].
  destruct (code i =? 0x05) eqn:E2.
  { apply N.eqb_eq in E2. rewrite E2. now apply (IH _ acc). }
  destruct (code i =? 0x20) eqn:E3.
  { apply N.eqb_eq in E3. rewrite E3. destruct (_ && _); [|discriminate].
    apply (IH _ (Some (word_at little (k i / 4), word_bits))); [|exact H].
    now rewrite full_mask by apply Hd. }
  destruct acc as [[w n]|]; [|discriminate]. subst a.
  destruct (code i =? 0x54) eqn:E4.
  { apply N.eqb_eq in E4. rewrite E4. cbn.
    apply (IH _ (Some (w, N.land n (k i)))); [now rewrite N.land_assoc|exact H]. }
  destruct (decide_jump b w n (code i) (k i)) as [yes|] eqn:J; [|discriminate].
  apply (decide_jump_ok d) in J; [|exact Hd|exact Hb]. destruct J as [C J].
  destruct C as [C|[C|[C|C]]]; rewrite C in *; cbn in *; rewrite J;
  apply (IH _ (Some (w, n))); auto.
Qed.

(** * Policies *)

Lemma and3_true a b : and3 a b = Some true -> a = Some true /\ b = Some true.
Proof. destruct a as [[]|], b as [[]|]; cbn; intros H; try discriminate; auto. Qed.
Lemma and3_false a b : and3 a b = Some false -> a = Some false \/ b = Some false.
Proof. destruct a as [[]|], b as [[]|]; cbn; intros H; try discriminate; auto. Qed.

(** A three-valued result that is right about a fact. *)
Definition right (a : option bool) (fact : bool) : Prop := forall r, a = Some r -> fact = r.

Lemma right_not a f : right a f -> right (not3 a) (negb f).
Proof. intros H r E. apply not3_some in E. apply H in E. subst f. now destruct r. Qed.
Lemma right_and a b f g : right a f -> right b g -> right (and3 a b) (f && g).
Proof.
  intros Ha Hb [] E.
  - apply and3_true in E. destruct E as [E F]. now rewrite (Ha _ E), (Hb _ F).
  - apply and3_false in E. destruct E as [E|E]; [rewrite (Ha _ E)|rewrite (Hb _ E)]; [reflexivity|].
    apply andb_false_r.
Qed.
Lemma right_or a b f g : right a f -> right b g -> right (or3 a b) (f || g).
Proof.
  intros Ha Hb. unfold or3. replace (f || g) with (negb (negb f && negb g)) by now destruct f, g.
  apply right_not, right_and; now apply right_not.
Qed.

Lemma split_and x y mask : y < 2 ^ 32 ->
  N.land (x * 2 ^ 32 + y) mask = N.land x (mask / 2 ^ 32) * 2 ^ 32 + N.land y (mask mod 2 ^ 32).
Proof.
  intros Hy. set (v := N.land (x * 2 ^ 32 + y) mask).
  assert (Q : v / 2 ^ 32 = N.land x (mask / 2 ^ 32)).
  { unfold v. rewrite <- !N.shiftr_div_pow2, N.shiftr_land. f_equal.
    rewrite N.shiftr_div_pow2, N.div_add_l by (now cbn). rewrite N.div_small by exact Hy. lia. }
  assert (R : v mod 2 ^ 32 = N.land y (mask mod 2 ^ 32)).
  { unfold v. rewrite <- !N.land_ones.
    replace y with (N.land (x * 2 ^ 32 + y) (N.ones 32)) at 2.
    - apply N.bits_inj. intros i. rewrite !N.land_spec.
      destruct (N.testbit _ i), (N.testbit mask i), (N.testbit (N.ones 32) i); reflexivity.
    - rewrite N.land_ones. rewrite N.add_comm, N.mod_add by (now cbn). now apply N.mod_small. }
  rewrite <- Q, <- R, N.mul_comm. apply N.div_mod. now cbn.
Qed.

Lemma below a m : a < 2 ^ 32 -> N.land a m < 2 ^ 32.
Proof.
  intros H. eapply N.le_lt_trans; [|exact H]. apply subset_le. intros i.
  rewrite N.land_spec, andb_true_iff. tauto.
Qed.

Lemma right_on d b w m o k : valid d -> box_ok d b ->
  right (on b w m o k)
    (match o with Is => N.land (d w) m =? k | AtLeast => k <=? N.land (d w) m end).
Proof. intros Hd Hb r E. now apply (on_ok d) in E. Qed.

Lemma decide_condition_ok d b c : valid d -> box_ok d b ->
  right (decide_condition b c) (holds d c).
Proof.
  intros Hd Hb. unfold decide_condition, holds, argument.
  set (hw := high_word (arg c)). set (lw := low_word (arg c)).
  rewrite split_and by apply Hd.
  set (hm := bits_kept c / 2 ^ 32). set (lm := bits_kept c mod 2 ^ 32).
  assert (V : value c = value c / 2 ^ 32 * 2 ^ 32 + value c mod 2 ^ 32).
  { rewrite N.mul_comm. apply N.div_mod. now cbn. }
  assert (L : value c mod 2 ^ 32 < 2 ^ 32) by now apply N.mod_lt.
  set (hk := value c / 2 ^ 32) in *. set (lk := value c mod 2 ^ 32) in *.
  pose proof (below (d lw) lm (Hd lw)) as B.
  assert (S : forall o k, right (on b hw hm o k)
    (match o with Is => N.land (d hw) hm =? k | AtLeast => k <=? N.land (d hw) hm end))
    by (intros; now apply right_on).
  assert (T : forall o k, right (on b lw lm o k)
    (match o with Is => N.land (d lw) lm =? k | AtLeast => k <=? N.land (d lw) lm end))
    by (intros; now apply right_on).
  set (x := N.land (d hw) hm) in *. set (y := N.land (d lw) lm) in *.
  rewrite V. clearbody x y hk lk. clear V Hd Hb.
  pose proof (right_and _ _ _ _ (S Is hk) (T Is lk)) as E.
  assert (G : forall n, right (or3 (on b hw hm AtLeast (hk + 1))
      (and3 (on b hw hm Is hk)
            (on b lw lm AtLeast n)))
    ((hk + 1 <=? x) || ((x =? hk) && (n <=? y)))).
  { intros n. apply right_or; [apply (S AtLeast)|]. apply right_and; [apply (S Is)|apply (T AtLeast)]. }
  assert (EQ : (x * 2 ^ 32 + y =? hk * 2 ^ 32 + lk) = ((x =? hk) && (y =? lk))).
  { destruct (x =? hk) eqn:A, (y =? lk) eqn:C; cbn [andb]; rewrite ?N.eqb_eq, ?N.eqb_neq in *;
    change (2 ^ 32) with 4294967296 in *; lia. }
  assert (GE : (hk * 2 ^ 32 + lk <=? x * 2 ^ 32 + y) = ((hk + 1 <=? x) || ((x =? hk) && (lk <=? y)))).
  { destruct (hk + 1 <=? x) eqn:A, (x =? hk) eqn:C, (lk <=? y) eqn:D; cbn [andb orb];
    rewrite ?N.eqb_eq, ?N.eqb_neq, ?N.leb_le, ?N.leb_gt in *; change (2 ^ 32) with 4294967296 in *; lia. }
  assert (GT : (hk * 2 ^ 32 + lk <? x * 2 ^ 32 + y) = ((hk + 1 <=? x) || ((x =? hk) && (lk + 1 <=? y)))).
  { destruct (hk + 1 <=? x) eqn:A, (x =? hk) eqn:C, (lk + 1 <=? y) eqn:D; cbn [andb orb];
    rewrite ?N.eqb_eq, ?N.eqb_neq, ?N.ltb_lt, ?N.ltb_ge, ?N.leb_le, ?N.leb_gt in *; change (2 ^ 32) with 4294967296 in *; lia. }
  destruct (relates c).
  - rewrite EQ. exact E.
  - rewrite EQ. now apply right_not.
  - rewrite N.ltb_antisym, GE. now apply right_not.
  - rewrite N.leb_antisym, GT. now apply right_not.
  - rewrite GT. apply G.
  - rewrite GE. apply G.
Qed.

Lemma decide_conditions_ok d b cs : valid d -> box_ok d b ->
  right (decide_conditions b cs) (forallb (holds d) cs).
Proof.
  intros Hd Hb. induction cs as [|c cs IH]; [intros r [= <-]; reflexivity|].
  cbn. apply right_and; [|exact IH]. now apply decide_condition_ok.
Qed.

Lemma decide_rule_ok d b r : valid d -> box_ok d b -> right (decide_rule b r) (matches d r).
Proof.
  intros Hd Hb. unfold decide_rule, matches. destruct (Hb 0) as (_ & [L H] & _).
  set (nr := get b 0) in *. destruct (_ || _) eqn:E.
  - intros x [= <-]. apply orb_true_iff in E. rewrite !N.ltb_lt in E.
    destruct (first r <=? d 0) eqn:A, (d 0 <=? last r) eqn:B; cbn; try reflexivity.
    apply N.leb_le in A. apply N.leb_le in B. lia.
  - apply right_and; [|now apply decide_conditions_ok]. apply right_and.
    + destruct (_ && _) eqn:A; [|intros x [=]]. intros x [= <-].
      apply andb_true_iff in A. rewrite !N.leb_le in A. rewrite andb_true_iff, !N.leb_le. lia.
    + pose proof (right_on d b 1 word_bits Is (arch r) Hd Hb) as R.
      now rewrite full_mask in R by apply Hd.
Qed.

Definition found (d : input) (rs : numbered) : option rule := find (matches d) (map snd rs).

Lemma walk_ok d b other : valid d -> box_ok d b -> forall rs,
  In (answer_of (found d rs) other) (fst (walk b rs other)).
Proof.
  intros Hd Hb. unfold found. induction rs as [|[i r] rs IH]; [now left|]. cbn.
  pose proof (decide_rule_ok d b r Hd Hb) as R. destruct (decide_rule b r) as [[]|].
  - rewrite (R true eq_refl). now left.
  - now rewrite (R false eq_refl).
  - destruct (walk b rs other) as [values why]. cbn in *.
    destruct (matches d r); [now left|now right].
Qed.

Lemma keep_ok d b : valid d -> box_ok d b -> forall rs, found d (keep b rs) = found d rs.
Proof.
  intros Hd Hb. unfold found. induction rs as [|[i r] rs IH]; [reflexivity|]. cbn.
  pose proof (decide_rule_ok d b r Hd Hb) as R. destruct (decide_rule b r) as [[]|]; cbn.
  - now rewrite (R true eq_refl).
  - rewrite (R false eq_refl). exact IH.
  - destruct (matches d r); [reflexivity|exact IH].
Qed.

Lemma number_ok : forall rs n, map snd (number n rs) = rs.
Proof. induction rs as [|r rs IH]; intros n; cbn; [reflexivity|now rewrite IH]. Qed.

(** * Certificates *)

Definition meaning (little : bool) (s : side) (d : input) : option N :=
  match s with
  | Program p => run little p d
  | Policy p => Some (decide p d)
  end.

(** The rules that are left have the same answer. *)
Definition list_ok (d : input) (s : side) (rs : numbered) : Prop :=
  match s with Program _ => True | Policy p => found d rs = find (matches d) p.(rules) end.

Definition part_ok (d : input) (a b : side) (p : part) : Prop :=
  box_ok d p.(of) /\ list_ok d a p.(rules_a) /\ list_ok d b p.(rules_b).

Lemma list_keep d s b rs : valid d -> box_ok d b -> list_ok d s rs -> list_ok d s (keep b rs).
Proof. intros Hd Hb. destruct s; [easy|]. cbn. now rewrite keep_ok. Qed.

Lemma side_values_ok little d b rs s a vs : valid d -> box_ok d b -> list_ok d s rs ->
  side_values little b rs s a = Some vs -> exists v, meaning little s d = Some v /\ In v vs.
Proof.
  intros Hd Hb Hl H. unfold side_values in H. destruct s as [p|p].
  - destruct (follow _ _ _ _ _) as [w|] eqn:F; [|discriminate]. destruct a; try discriminate.
    destruct (v =? w); [|discriminate]. injection H as <-. exists w. split; [|now left].
    cbn. unfold run. now apply (follow_ok little d b Hd Hb _ _ None).
  - exists (decide p d). split; [reflexivity|]. unfold decide. cbn in Hl. rewrite <- Hl.
    pose proof (walk_ok d b (other p) Hd Hb rs) as W.
    destruct (walk b rs (other p)) as [values [i|]], a; try discriminate;
    [destruct (i =? index); [|discriminate]|]; injection H as <-; exact W.
Qed.

Lemma cut_part_ok d a b p w t : valid d -> part_ok d a b p ->
  exists q, cut_part p w t (passes (d w) t) = [q] /\ part_ok d a b q.
Proof.
  intros Hd (Hb & La & Lb). unfold cut_part.
  destruct (cut_ok (d w) (get (of p) w) t (Hd w) (Hb w)) as (f & -> & F).
  eexists. split; [reflexivity|]. pose proof (set_ok d _ w f Hb F) as S.
  split; [exact S|]. split; now apply list_keep.
Qed.

Lemma check_ok little c a b d : valid d -> forall lines parts,
  check little c a b lines parts = true -> forall p, In p parts -> part_ok d a b p ->
  exists v w, meaning little a d = Some v /\ meaning little b d = Some w /\ agree c v w = true.
Proof.
  intros Hd. induction lines as [|ln lines IH]; intros parts H p Hp Ok.
  - destruct parts; [easy|discriminate].
  - destruct parts as [|q parts]; [easy|]. destruct ln as [word t|x y]; cbn in H.
    + destruct Hp as [->|Hp].
      * destruct (cut_part_ok d a b p word t Hd Ok) as (q & E & Q). apply (IH _ H q); [|exact Q].
        rewrite !in_app_iff. destruct (passes (d word) t); rewrite E; [left|right; left]; now left.
      * apply (IH _ H p); [|exact Ok]. rewrite !in_app_iff. now right; right.
    + apply andb_true_iff in H. destruct H as [H1 H2].
      destruct Hp as [->|Hp]; [|now apply (IH _ H2 p)]. destruct Ok as (Hb & La & Lb).
      destruct (side_values little (of p) (rules_a p) a x) as [vs|] eqn:X; [|discriminate].
      destruct (side_values little (of p) (rules_b p) b y) as [ws|] eqn:Y; [|discriminate].
      apply (side_values_ok little d) in X; [|exact Hd|exact Hb|exact La].
      apply (side_values_ok little d) in Y; [|exact Hd|exact Hb|exact Lb].
      destruct X as (v & Hv & Iv), Y as (w & Hw & Iw). exists v, w. repeat split; auto.
      rewrite forallb_forall in H1. specialize (H1 v Iv). rewrite forallb_forall in H1. now apply H1.
Qed.

(** If the checker accepts, then for every input both sides answer, and the
    answers agree as the claim says. *)
Theorem certificate_sound little c a b lines :
  check_certificate little c a b lines = true -> forall d, valid d ->
  exists v w, meaning little a d = Some v /\ meaning little b d = Some w /\ agree c v w = true.
Proof.
  intros H d Hd. eapply (check_ok little c a b d Hd lines _ H); [now left|].
  split; [intros w; unfold get; cbn; destruct (N.to_nat w); now apply any_ok|].
  assert (L : forall s, list_ok d s (rules_of s)).
  { intros [p|p]; cbn; [exact I|]. unfold found. now rewrite number_ok. }
  split; apply L.
Qed.

Print Assumptions certificate_sound.
