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

(** * Boxes *)

Definition view_ok (d : input) (v : view) : Prop :=
  let x := N.land (d v.(word)) v.(kept) in
  v.(low) <= x <= v.(high) /\ is_in x v.(holes) = false.
Definition box_ok (d : input) (b : box) : Prop := Forall (view_ok d) b.

Definition passes (d : input) (t : test) : bool :=
  let x := N.land (d t.(t_word)) t.(t_mask) in
  match t.(t_op) with Is => x =? t.(t_k) | AtLeast => t.(t_k) <=? x end.

Lemma is_in_spec n l : is_in n l = true <-> In n l.
Proof.
  unfold is_in. rewrite existsb_exists. split.
  - intros (x & Hx & E). apply N.eqb_eq in E. now subst.
  - intros H. exists n. split; [exact H|apply N.eqb_refl].
Qed.

Lemma testbit_fixed v i : N.testbit (fixed v) i =
  (N.size (N.lxor (low v) (high v)) <=? i) && N.testbit (kept v) i.
Proof.
  unfold fixed. set (n := N.size _). destruct (n <=? i) eqn:E.
  - apply N.leb_le in E. rewrite N.shiftl_spec_high' by exact E.
    rewrite N.shiftr_spec'. replace (i - n + n) with i by lia. reflexivity.
  - apply N.leb_gt in E. now rewrite N.shiftl_spec_low.
Qed.

Lemma fixed_bits d v : view_ok d v ->
  N.land (d (word v)) (fixed v) = N.land (low v) (fixed v).
Proof.
  intros [H _]. apply land_same_bits. intros i E. rewrite testbit_fixed in E.
  apply andb_true_iff in E. destruct E as [Hn Hm]. apply N.leb_le in Hn.
  pose proof (shared_prefix _ _ _ H i Hn) as G. rewrite N.land_spec, Hm, andb_true_r in G.
  exact G.
Qed.

Definition bits_ok (x : N) (s : bits) : Prop :=
  s.(clash) = false /\ N.land x s.(known) = s.(ones).

Lemma add_view_ok d v s : view_ok d v -> bits_ok (d (word v)) s ->
  bits_ok (d (word v)) (add_view s v).
Proof.
  intros Hv [Hc Hb]. pose proof (fixed_bits d v Hv) as Hf.
  set (x := d (word v)) in *. split; cbn.
  - rewrite Hc. cbn. apply negb_false_iff, N.eqb_eq. apply N.bits_inj_0. intros i.
    rewrite !N.land_spec, N.lxor_spec, <- Hb, N.land_spec.
    destruct (N.testbit (fixed v) i) eqn:F; [|now rewrite andb_false_r].
    pose proof (same_bits_land _ _ _ i Hf F) as G. rewrite G.
    destruct (N.testbit (low v) i), (N.testbit (known s) i); reflexivity.
  - rewrite N.land_lor_distr_r, Hb, Hf. reflexivity.
Qed.

Lemma bits_of_ok d w vs : (forall v, In v vs -> v.(word) = w /\ view_ok d v) ->
  bits_ok (d w) (bits_of vs).
Proof.
  intros H. unfold bits_of.
  assert (G : bits_ok (d w) {| known := 0; ones := 0; clash := false |}).
  { split; [reflexivity|cbn]. apply N.land_0_r. }
  revert G. generalize {| known := 0; ones := 0; clash := false |}.
  induction vs as [|v vs IH]; intros s Hs; cbn; [exact Hs|].
  apply IH; [intros u Hu; apply H; now right|].
  destruct (H v (or_introl eq_refl)) as [<- Hv]. now apply add_view_ok.
Qed.

Lemma split_land x m n : N.land x m = N.land x (N.land m n) + N.land x (N.ldiff m n).
Proof.
  rewrite N.add_nocarry_lxor.
  - apply N.bits_inj. intros i. rewrite N.lxor_spec, !N.land_spec, N.ldiff_spec.
    destruct (N.testbit x i), (N.testbit m i), (N.testbit n i); reflexivity.
  - apply N.bits_inj_0. intros i. rewrite !N.land_spec, N.ldiff_spec.
    destruct (N.testbit x i), (N.testbit m i), (N.testbit n i); reflexivity.
Qed.

Lemma known_part x s m n : bits_ok x s -> N.ldiff (N.lxor n m) s.(known) = 0 ->
  N.land x (N.ldiff m n) = N.land s.(ones) (N.ldiff m n).
Proof.
  intros [_ Hb] H. apply land_same_bits. intros i E. rewrite <- Hb, N.land_spec.
  assert (K : N.testbit (known s) i = true).
  { assert (G : N.testbit (N.ldiff (N.lxor n m) (known s)) i = false) by (rewrite H; apply N.bits_0).
    rewrite N.ldiff_spec, N.lxor_spec in G. rewrite N.ldiff_spec in E.
    destruct (N.testbit m i), (N.testbit n i), (N.testbit (known s) i); cbn in *; congruence. }
  now rewrite K, andb_true_r.
Qed.

Lemma narrow_ok d w m s v lh : v.(word) = w -> view_ok d v -> bits_ok (d w) s ->
  fst lh <= N.land (d w) m <= snd lh ->
  fst (narrow s m lh v) <= N.land (d w) m <= snd (narrow s m lh v).
Proof.
  intros <- [Hv _] Hs H. unfold narrow.
  destruct (N.ldiff (N.lxor (kept v) m) (known s) =? 0) eqn:E; [|exact H].
  apply N.eqb_eq in E. cbn.
  pose proof (known_part _ _ m (kept v) Hs E) as P.
  assert (E' : N.ldiff (N.lxor m (kept v)) (known s) = 0) by (rewrite N.lxor_comm; exact E).
  pose proof (known_part _ _ (kept v) m Hs E') as Q.
  pose proof (split_land (d (word v)) m (kept v)) as A.
  pose proof (split_land (d (word v)) (kept v) m) as B.
  rewrite (N.land_comm m (kept v)) in A. rewrite P in A. rewrite Q in B. cbn in Hv. lia.
Qed.

Lemma bounds_ok d w vs m : (forall v, In v vs -> v.(word) = w /\ view_ok d v) ->
  fst (bounds vs m) <= N.land (d w) m <= snd (bounds vs m).
Proof.
  intros H. pose proof (bits_of_ok d w vs H) as Hs. unfold bounds.
  set (s := bits_of vs) in *.
  assert (G : fst (N.land s.(ones) m, N.lor (N.land s.(ones) m) (N.ldiff m s.(known)))
     <= N.land (d w) m <= snd (N.land s.(ones) m, N.lor (N.land s.(ones) m) (N.ldiff m s.(known)))).
  { destruct Hs as [_ Hb]. cbn. rewrite <- Hb. split; apply subset_le; intros i.
    - rewrite !N.land_spec, !andb_true_iff. tauto.
    - rewrite N.lor_spec, N.ldiff_spec, !N.land_spec.
      destruct (N.testbit (d w) i), (N.testbit m i), (N.testbit (known s) i); cbn; congruence. }
  revert G. generalize (N.land s.(ones) m, N.lor (N.land s.(ones) m) (N.ldiff m s.(known))).
  clearbody s. induction vs as [|v vs IH]; intros lh G; cbn [fold_left]; [exact G|].
  destruct (H v (or_introl eq_refl)) as [Hw Hv].
  apply IH; [intros u Hu; apply H; now right|]. now apply narrow_ok.
Qed.

Lemma views_of_ok d b w : box_ok d b ->
  forall v, In v (views_of b w) -> v.(word) = w /\ view_ok d v.
Proof.
  intros H v Hv. apply filter_In in Hv. destruct Hv as [Hi Hw]. apply N.eqb_eq in Hw.
  split; [exact Hw|]. unfold box_ok in H. rewrite Forall_forall in H. now apply H.
Qed.

Lemma holes_of_ok d w vs m : (forall v, In v vs -> v.(word) = w /\ view_ok d v) ->
  is_in (N.land (d w) m) (holes_of vs m) = false.
Proof.
  intros H. unfold holes_of. destruct (find _ vs) as [v|] eqn:F; [|reflexivity].
  apply find_some in F. destruct F as [Hi Hm]. apply N.eqb_eq in Hm.
  destruct (H v Hi) as [Hw [_ Hh]]. now rewrite Hw, Hm in Hh.
Qed.

Theorem decide_test_ok d b t r : box_ok d b -> decide_test b t = Some r -> passes d t = r.
Proof.
  intros Hb. unfold decide_test, passes.
  pose proof (views_of_ok d b (t_word t) Hb) as Hvs.
  pose proof (bounds_ok d _ _ (t_mask t) Hvs) as G.
  pose proof (bits_of_ok d _ _ Hvs) as [Hc Hk].
  pose proof (holes_of_ok d _ _ (t_mask t) Hvs) as Hh.
  set (x := N.land (d (t_word t)) (t_mask t)) in *.
  destruct (bounds _ _) as [l h]. cbn in G. rewrite Hc.
  destruct (h <? t_k t) eqn:E.
  { apply N.ltb_lt in E. intros [= <-].
    destruct (t_op t); [apply N.eqb_neq|apply N.leb_gt]; lia. }
  apply N.ltb_ge in E. destruct (t_op t).
  - destruct (_ || _ || _ || _) eqn:F.
    + intros [= <-]. apply N.eqb_neq. intros Ex. rewrite <- Ex in F.
      rewrite Hh, orb_false_r in F.
      apply orb_true_iff in F. destruct F as [F|F].
      * apply orb_true_iff in F. destruct F as [F|F]; [apply N.ltb_lt in F; lia|].
        apply negb_true_iff, N.eqb_neq in F. apply F. apply N.bits_inj_0. intros i.
        unfold x. rewrite N.ldiff_spec, N.land_spec.
        destruct (N.testbit (t_mask t) i); now rewrite ?andb_false_r.
      * apply negb_true_iff, N.eqb_neq in F. apply F. apply N.bits_inj_0. intros i.
        rewrite <- Hk. unfold x. rewrite !N.land_spec, N.lxor_spec, !N.land_spec.
        destruct (N.testbit (d (t_word t)) i), (N.testbit (t_mask t) i),
          (N.testbit (known _) i); reflexivity.
    + destruct (l =? h) eqn:L; [|discriminate]. intros [= <-].
      apply N.eqb_eq in L. apply orb_false_iff in F. destruct F as [F _].
      apply orb_false_iff in F. destruct F as [F _]. apply orb_false_iff in F.
      destruct F as [F _]. apply N.ltb_ge in F. apply N.eqb_eq. lia.
  - destruct (t_k t <=? l) eqn:L; [|discriminate]. intros [= <-].
    apply N.leb_le in L. apply N.leb_le. lia.
Qed.

Theorem cut_ok d b t : good_split t = true -> box_ok d b -> box_ok d (cut b t (passes d t)).
Proof.
  intros Hg Hb. unfold cut. apply Forall_cons.
  - assert (Ho : view_ok d (own b t) /\ word (own b t) = t_word t /\ kept (own b t) = t_mask t).
    { unfold own. destruct (find _ b) as [v|] eqn:F.
      - apply find_some in F. destruct F as [Hi Ho]. unfold is_own in Ho.
        apply andb_true_iff in Ho. destruct Ho as [Hw Hk].
        apply N.eqb_eq in Hw. apply N.eqb_eq in Hk.
        unfold box_ok in Hb. rewrite Forall_forall in Hb. split; [now apply Hb|tauto].
      - split; [|split; reflexivity]. split; cbn; [|reflexivity]. split; [apply N.le_0_l|].
        apply subset_le. intros i. rewrite N.land_spec, andb_true_iff. tauto. }
    destruct Ho as ([Hv Hh] & Hw & Hk). rewrite Hw, Hk in Hv, Hh.
    unfold passes. unfold good_split in Hg. set (x := N.land (d (t_word t)) (t_mask t)) in *.
    unfold view_ok. destruct (t_op t).
    + destruct (x =? t_k t) eqn:E; cbn; fold x.
      * apply N.eqb_eq in E. split; [lia|exact Hh].
      * split; [exact Hv|]. unfold is_in in *. cbn. now rewrite E, Hh.
    + destruct (t_k t <=? x) eqn:E; cbn; fold x.
      * apply N.leb_le in E. split; [lia|exact Hh].
      * apply N.leb_gt in E. apply negb_true_iff, N.eqb_neq in Hg. split; [lia|exact Hh].
  - unfold box_ok in *. rewrite Forall_forall in *. intros v Hv. apply filter_In in Hv.
    now apply Hb.
Qed.

Theorem is_empty_ok d b : is_empty b = true -> ~ box_ok d b.
Proof.
  intros H Hb. unfold is_empty in H. apply existsb_exists in H. destruct H as (v & _ & H).
  pose proof (views_of_ok d b (word v) Hb) as Hvs.
  pose proof (bounds_ok d _ _ (kept v) Hvs) as G.
  pose proof (bits_of_ok d _ _ Hvs) as [Hc _].
  pose proof (holes_of_ok d _ _ (kept v) Hvs) as Hh.
  destruct (bounds _ _) as [l h]. cbn in G. rewrite Hc in H. cbn in H.
  apply orb_true_iff in H. destruct H as [H|H]; [apply N.ltb_lt in H; lia|].
  apply andb_true_iff in H. destruct H as [E Hi]. apply N.eqb_eq in E.
  replace l with (N.land (d (word v)) (kept v)) in Hi by lia. congruence.
Qed.

(** * Programs *)

Lemma not3_some a r : not3 a = Some r -> a = Some (negb r).
Proof. destruct a as [[]|]; cbn; intros [= <-]; reflexivity. Qed.

Lemma decide_jump_ok d b w m c k r : box_ok d b -> decide_jump b w m c k = Some r ->
  (c = 0x15 \/ c = 0x25 \/ c = 0x35 \/ c = 0x45) /\
  jump (c - 0x05) (N.land (d w) m) k = r.
Proof.
  intros Hb. unfold decide_jump.
  destruct (c =? 0x15) eqn:E1; [|destruct (c =? 0x25) eqn:E2;
    [|destruct (c =? 0x35) eqn:E3; [|destruct (c =? 0x45) eqn:E4; [|discriminate]]]];
  rewrite N.eqb_eq in *; subst c; intros H; (split; [tauto|]).
  - apply (decide_test_ok d) in H; [exact H|exact Hb].
  - apply (decide_test_ok d) in H; [|exact Hb]. cbn in *. rewrite <- H.
    destruct (_ <? _) eqn:A, (_ <=? _) eqn:B; try reflexivity; rewrite ?N.ltb_lt, ?N.ltb_ge, ?N.leb_le, ?N.leb_gt in *; lia.
  - apply (decide_test_ok d) in H; [exact H|exact Hb].
  - apply not3_some in H. apply (decide_test_ok d) in H; [|exact Hb].
    cbn in *. rewrite <- N.land_assoc, H. now destruct r.
Qed.

Lemma follow_ok d b : valid d -> box_ok d b -> forall f p acc a x m v,
  match acc with Some (w, n) => a = N.land (d w) n | None => True end ->
  follow f p b acc = Some v -> exec f p d a x m = Some v.
Proof.
  intros Hd Hb. induction f as [|f IH]; intros p acc a x m v Ha H; [discriminate|].
  destruct p as [|i rest]; [discriminate|]. cbn in H. cbn.
  destruct (code i =? 0x06) eqn:E1; [apply N.eqb_eq in E1; rewrite E1; exact H|].
  destruct (code i =? 0x05) eqn:E2.
  { apply N.eqb_eq in E2. rewrite E2. now apply (IH _ acc). }
  destruct (code i =? 0x20) eqn:E3.
  { apply N.eqb_eq in E3. rewrite E3. destruct (_ && _); [|discriminate].
    apply (IH _ (Some (k i / 4, word_bits))); [|exact H].
    change word_bits with (N.ones 32). rewrite N.land_ones, N.mod_small; [reflexivity|apply Hd]. }
  destruct acc as [[w n]|]; [|discriminate]. subst a.
  destruct (code i =? 0x54) eqn:E4.
  { apply N.eqb_eq in E4. rewrite E4. cbn.
    apply (IH _ (Some (w, N.land n (k i)))); [now rewrite N.land_assoc|exact H]. }
  destruct (decide_jump b w n (code i) (k i)) as [yes|] eqn:J; [|discriminate].
  apply (decide_jump_ok d) in J; [|exact Hb]. destruct J as [C J].
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

Lemma right_test d b w m o k : box_ok d b ->
  right (decide_test b {| t_word := w; t_mask := m; t_op := o; t_k := k |})
    (match o with Is => N.land (d w) m =? k | AtLeast => k <=? N.land (d w) m end).
Proof. intros Hb r E. apply (decide_test_ok d) in E; [|exact Hb]. exact E. Qed.

Lemma decide_condition_ok little d b c : valid d -> box_ok d b ->
  right (decide_condition little b c) (holds little d c).
Proof.
  intros Hd Hb. unfold decide_condition, holds, argument.
  set (hw := high_word little (arg c)). set (lw := low_word little (arg c)).
  rewrite split_and by apply Hd.
  set (hm := bits_kept c / 2 ^ 32). set (lm := bits_kept c mod 2 ^ 32).
  assert (V : value c = value c / 2 ^ 32 * 2 ^ 32 + value c mod 2 ^ 32).
  { rewrite N.mul_comm. apply N.div_mod. now cbn. }
  assert (L : value c mod 2 ^ 32 < 2 ^ 32) by now apply N.mod_lt.
  set (hk := value c / 2 ^ 32) in *. set (lk := value c mod 2 ^ 32) in *.
  pose proof (below (d lw) lm (Hd lw)) as B.
  assert (S : forall o k, right (decide_test b {| t_word := hw; t_mask := hm; t_op := o; t_k := k |})
    (match o with Is => N.land (d hw) hm =? k | AtLeast => k <=? N.land (d hw) hm end))
    by (intros; now apply right_test).
  assert (T : forall o k, right (decide_test b {| t_word := lw; t_mask := lm; t_op := o; t_k := k |})
    (match o with Is => N.land (d lw) lm =? k | AtLeast => k <=? N.land (d lw) lm end))
    by (intros; now apply right_test).
  set (x := N.land (d hw) hm) in *. set (y := N.land (d lw) lm) in *.
  rewrite V. clearbody x y hk lk. clear V Hd Hb.
  pose proof (right_and _ _ _ _ (S Is hk) (T Is lk)) as E.
  assert (G : forall n, right (or3 (decide_test b {| t_word := hw; t_mask := hm; t_op := AtLeast; t_k := hk + 1 |})
      (and3 (decide_test b {| t_word := hw; t_mask := hm; t_op := Is; t_k := hk |})
            (decide_test b {| t_word := lw; t_mask := lm; t_op := AtLeast; t_k := n |})))
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

(** A number is in one of the ranges. *)
Definition has (n : N) (open : ranges) : Prop := exists r, In r open /\ fst r <= n <= snd r.

Lemma without_ok n f l open : has n open -> ~ (f <= n <= l) -> has n (without f l open).
Proof.
  intros ([x y] & Hr & Hn) Hout. cbn in Hn. unfold has, without.
  destruct (N.lt_ge_cases n f) as [L|G].
  - exists (x, N.min y (f - 1)). split; [|cbn; lia]. apply in_flat_map. exists (x, y). split; [exact Hr|].
    cbn. replace (x <? f) with true by (symmetry; apply N.ltb_lt; lia). now left.
  - exists (N.max x (l + 1), y). split; [|cbn; lia]. apply in_flat_map. exists (x, y). split; [exact Hr|].
    cbn. apply in_or_app. right. replace (l <? y) with true by (symmetry; apply N.ltb_lt; lia). now left.
Qed.

Lemma touches_ok n f l open : has n open -> f <= n <= l -> touches f l open = true.
Proof.
  intros ([x y] & Hr & Hn) Hin. cbn in Hn. apply existsb_exists. exists (x, y). split; [exact Hr|].
  cbn. apply N.leb_le. lia.
Qed.

Lemma numbers_ok n l h hs : l <= n <= h -> is_in n hs = false -> has n (numbers l h hs).
Proof.
  intros Hn Hh. unfold numbers. replace (l <=? h) with true by (symmetry; apply N.leb_le; lia).
  assert (S : has n [(l, h)]) by (exists (l, h); split; [now left|exact Hn]).
  revert S Hh. generalize [(l, h)]. induction hs as [|k hs IH]; intros open S Hh; [exact S|].
  cbn in Hh. apply orb_false_iff in Hh. destruct Hh as [K Hh]. apply N.eqb_neq in K.
  cbn. apply IH; [|exact Hh]. apply without_ok; [exact S|lia].
Qed.

Lemma decide_conditions_ok little d b cs : valid d -> box_ok d b ->
  right (decide_conditions little b cs) (forallb (holds little d) cs).
Proof.
  intros Hd Hb. induction cs as [|c cs IH]; [intros r [= <-]; reflexivity|].
  cbn. apply right_and; [|exact IH]. intros r E. now apply (decide_condition_ok little d b c).
Qed.

(** The first rule that matches is among those that may; if none matches, the
    number stays open. *)
Lemma walk_ok little d b : valid d -> box_ok d b -> forall rs open, has (d 0) open ->
  match find (matches little d) rs with
  | Some r => In (returns r) (fst (walk little b rs open))
  | None => has (d 0) (snd (walk little b rs open))
  end.
Proof.
  intros Hd Hb. induction rs as [|r rs IH]; intros open Hn; [exact Hn|]. cbn [find walk].
  pose proof (decide_conditions_ok little d b (conditions r) Hd Hb) as R.
  destruct (matches little d r) eqn:M.
  - unfold matches in M. apply andb_true_iff in M. destruct M as [M C].
    apply andb_true_iff in M. destruct M as [M1 M2]. apply N.leb_le in M1. apply N.leb_le in M2.
    rewrite (touches_ok (d 0)) by (exact Hn || lia).
    destruct (decide_conditions little b (conditions r)) as [[]|] eqn:D.
    2: { rewrite (R false eq_refl) in C. discriminate C. }
    all: cbn; destruct (walk _ _ _ _); now left.
  - destruct (negb _ || _) eqn:Skip; [now apply IH|].
    set (open' := if is_true _ then _ else _).
    assert (Hn' : has (d 0) open').
    { unfold open'. destruct (decide_conditions little b (conditions r)) as [[]|] eqn:D; try exact Hn.
      cbn. apply without_ok; [exact Hn|]. intros [F L]. unfold matches in M.
      apply N.leb_le in F. apply N.leb_le in L. rewrite F, L, (R true eq_refl) in M. discriminate M. }
    specialize (IH open' Hn'). destruct (walk little b rs open') as [vs left]. cbn in *.
    destruct (find _ rs); [now right|exact IH].
Qed.

Lemma find_take {A} f n (l : list A) x : find f (take n l) = Some x -> find f l = Some x.
Proof.
  revert n. induction l as [|y l IH]; intros n H; [discriminate|]. cbn in *.
  destruct (n =? 0); [discriminate|]. cbn in H. destruct (f y); [exact H|]. now apply (IH (n - 1)).
Qed.

Lemma full_mask d i : valid d -> N.land (d i) word_bits = d i.
Proof.
  intros H. change word_bits with (N.ones 32). rewrite N.land_ones. now apply N.mod_small.
Qed.

Lemma arch_ok d b k r : valid d -> box_ok d b -> decide_test b (arch_test k) = Some r ->
  (k =? d 1) = r.
Proof.
  intros Hd Hb E. apply (decide_test_ok d) in E; [|exact Hb]. unfold passes in E. cbn in E.
  fold word_bits in E. now rewrite full_mask, N.eqb_sym in E.
Qed.

Lemma values_of_ok little d b rules dflt why vs : valid d -> box_ok d b ->
  values_of little b rules dflt why = Some vs ->
  In (match find (matches little d) rules with Some r => returns r | None => dflt end) vs.
Proof.
  intros Hd Hb. pose proof (views_of_ok d b 0 Hb) as Hvs.
  pose proof (bounds_ok d 0 _ word_bits Hvs) as G.
  pose proof (holes_of_ok d 0 _ word_bits Hvs) as Hh.
  rewrite full_mask in G, Hh by exact Hd. unfold values_of.
  destruct (bounds _ _) as [l h]. cbn in G. cbv zeta.
  pose proof (walk_ok little d b Hd Hb) as W.
  assert (Hn : has (d 0) (numbers l h (holes_of (views_of b 0) word_bits))) by now apply numbers_ok.
  assert (Default : Some (dflt :: fst (walk little b rules
    (numbers l h (holes_of (views_of b 0) word_bits)))) = Some vs ->
    In (match find (matches little d) rules with Some r => returns r | None => dflt end) vs).
  { intros [= <-]. specialize (W rules _ Hn).
    destruct (find _ rules); [now right|now left]. }
  destruct why as [| |index]; [exact Default|exact Default|].
  specialize (W (take (index + 1) rules) _ Hn).
  destruct (walk little b (take (index + 1) rules) _) as [values [|r left]]; [|discriminate].
  destruct (index <? size rules); [|discriminate]. intros [= <-].
  destruct (find _ (take _ _)) as [r|] eqn:F.
  - apply find_take in F. now rewrite F.
  - destruct W as (r & [] & _).
Qed.

Lemma answers_ok little d b p why vs : valid d -> box_ok d b ->
  answers little b p why = Some vs -> In (decide little p d) vs.
Proof.
  intros Hd Hb H. unfold decide.
  assert (Known : forall x rules,
    find (fun a => is_true (decide_test b (arch_test (fst a)))) (arches p) = Some (x, rules) ->
    find (fun a => fst a =? d 1) (arches p) = Some (x, rules)).
  { intros x rules. generalize (arches p). induction l as [|[y rs] l IH]; cbn; [discriminate|].
    destruct (decide_test b (arch_test y)) as [[]|] eqn:E; cbn; intros F.
    - apply (arch_ok d) in E; [|exact Hd|exact Hb]. now rewrite E.
    - apply (arch_ok d) in E; [|exact Hd|exact Hb]. rewrite E. now apply IH.
    - (* an entry that is open: the one found later has the same number *)
      destruct (y =? d 1) eqn:Y; [|now apply IH]. exfalso.
      apply N.eqb_eq in Y. subst y. clear IH.
      apply find_some in F. destruct F as [_ F]. cbn in F.
      destruct (decide_test b (arch_test x)) as [[]|] eqn:X; try discriminate.
      pose proof (arch_ok d b x true Hd Hb X) as Z. apply N.eqb_eq in Z. subst x. congruence. }
  assert (Listed : match find (fun a => is_true (decide_test b (arch_test (fst a)))) (arches p) with
    | Some (_, rules) => values_of little b rules (default p) why
    | None => None
    end = Some vs ->
    In match find (fun a => fst a =? d 1) (arches p) with
    | Some (_, rules) =>
      match find (matches little d) rules with Some r => returns r | None => default p end
    | None => other p
    end vs).
  { destruct (find _ (arches p)) as [[x rules]|] eqn:F; [|discriminate].
    rewrite (Known _ _ eq_refl). now apply values_of_ok. }
  unfold answers in H. destruct why as [| |index]; [now apply Listed| |now apply Listed].
  destruct (forallb _ _) eqn:F; [|discriminate]. injection H as <-.
  replace (find (fun a => fst a =? d 1) (arches p)) with (@None (N * list rule)); [now left|].
  symmetry. rewrite forallb_forall in F. revert F. generalize (arches p).
  induction l as [|[y rs] l IH]; cbn; intros F; [reflexivity|].
  pose proof (F (y, rs) (or_introl eq_refl)) as E. cbn in E.
  destruct (decide_test b (arch_test y)) as [[]|] eqn:X; try discriminate.
  apply (arch_ok d) in X; [|exact Hd|exact Hb]. rewrite X. apply IH. intros a Ha. apply F. now right.
Qed.

(** * Certificates *)

Definition meaning (little : bool) (s : side) (d : input) : option N :=
  match s with
  | Program p => run p d
  | Policy p => Some (decide little p d)
  end.

Lemma side_values_ok little d b s a vs : valid d -> box_ok d b ->
  side_values little b s a = Some vs -> exists v, meaning little s d = Some v /\ In v vs.
Proof.
  intros Hd Hb H. unfold side_values in H. destruct s as [p|p], a as [v|r]; try discriminate.
  - destruct (follow _ _ _ _) as [w|] eqn:F; [|discriminate].
    destruct (v =? w); [|discriminate]. injection H as <-. exists w. split; [|now left].
    cbn. unfold run. now apply (follow_ok d b Hd Hb _ _ None).
  - exists (decide little p d). split; [reflexivity|]. now apply (answers_ok little d b p r).
Qed.

Lemma check_ok little c a b d : valid d -> forall lines parts,
  check little c a b lines parts = true -> forall p, In p parts -> box_ok d p ->
  exists v w, meaning little a d = Some v /\ meaning little b d = Some w /\ agree c v w = true.
Proof.
  intros Hd. induction lines as [|ln lines IH]; intros parts H p Hp Hb.
  - destruct parts; [easy|discriminate].
  - destruct parts as [|q parts]; [easy|]. destruct ln as [t| |x y]; cbn in H;
    apply andb_true_iff in H; destruct H as [H1 H2].
    + destruct Hp as [->|Hp].
      * pose proof (cut_ok d p t H1 Hb) as C. apply (IH _ H2 (cut p t (passes d t))); [|exact C].
        destruct (passes d t); [now left|right; now left].
      * apply (IH _ H2 p); [right; now right|exact Hb].
    + destruct Hp as [->|Hp]; [now apply is_empty_ok with (d := d) in H1|now apply (IH _ H2 p)].
    + destruct Hp as [->|Hp]; [|now apply (IH _ H2 p)].
      destruct (side_values little p a x) as [vs|] eqn:X; [|discriminate].
      destruct (side_values little p b y) as [ws|] eqn:Y; [|discriminate].
      apply (side_values_ok little d) in X; [|exact Hd|exact Hb].
      apply (side_values_ok little d) in Y; [|exact Hd|exact Hb].
      destruct X as (v & Hv & Iv), Y as (w & Hw & Iw). exists v, w. repeat split; auto.
      rewrite forallb_forall in H1. specialize (H1 v Iv). rewrite forallb_forall in H1. now apply H1.
Qed.

(** If the checker accepts, then for every input both sides answer, and the
    answers agree as the claim says. *)
Theorem certificate_sound little c a b lines :
  check_certificate little c a b lines = true -> forall d, valid d ->
  exists v w, meaning little a d = Some v /\ meaning little b d = Some w /\ agree c v w = true.
Proof.
  intros H d Hd. apply (check_ok little c a b d Hd lines [[]] H []); [now left|constructor].
Qed.

Print Assumptions certificate_sound.
