;; The inner loops of the interval search (interval.ts) for a whole table:
;;
;;     for i = n - 1 ... 0, j = i + 1 ... n - 1
;;       t = the least of cost(i, k) + byEnd(k + 1, j) for i <= k < j
;;           + ((sums(j + 1) - sums(i)) + testCost)
;;       where t < cost(i, j): cost(i, j) = t, choice(i, j) = 0
;;       byEnd(i, j) = cost(i, j)
;;
;; with sums in the order that is written here, so that every bit is the same as
;; in interval.ts. cost(i, j) is at i * n + j, byEnd(i, j) at j * n + i: both
;; loops over k read in sequence, four values a step.
;;
;; `deno task kernel` assembles this into kernel_code.ts.
(module
  (memory (export "memory") 1)

  ;; $sums: n + 1 doubles; $cost, $byEnd: n * n doubles; $choice: n * n words.
  ;; cost(i, j) is filled for i <= j: peeled leaves, 0 for single runs, infinity.
  (func (export "fill")
    (param $n i32) (param $sums i32) (param $cost i32) (param $byEnd i32)
    (param $choice i32) (param $testCost f64)
    ;; Bytes of a row; where (i, i) is in a table.
    (local $row i32) (local $diagonal i32)
    (local $i i32) (local $j i32)
    ;; Addresses of cost(i, i), cost(i, j), choice(i, j), byEnd(i, j), sums(i).
    (local $start i32) (local $here i32) (local $mark i32) (local $turned i32)
    (local $sum i32)
    ;; Addresses of cost(i, k), byEnd(k + 1, j), and where fewer than four are left.
    (local $p i32) (local $q i32) (local $end i32)
    (local $two v128) (local $best f64)

    (local.set $row (i32.shl (local.get $n) (i32.const 3)))
    (local.set $i (local.get $n))
    (loop $starts
      (local.set $i (i32.sub (local.get $i) (i32.const 1)))
      (local.set $sum
        (i32.add (local.get $sums) (i32.shl (local.get $i) (i32.const 3))))
      (local.set $diagonal
        (i32.add (i32.mul (local.get $i) (local.get $n)) (local.get $i)))
      (local.set $mark
        (i32.add (local.get $choice) (i32.shl (local.get $diagonal) (i32.const 2))))
      (local.set $diagonal (i32.shl (local.get $diagonal) (i32.const 3)))
      (local.set $start (i32.add (local.get $cost) (local.get $diagonal)))
      (local.set $turned (i32.add (local.get $byEnd) (local.get $diagonal)))
      (local.set $here (local.get $start))
      (f64.store (local.get $turned) (f64.load (local.get $here)))
      (local.set $j (i32.add (local.get $i) (i32.const 1)))
      (block $rowDone
        (loop $ends
          (br_if $rowDone (i32.ge_u (local.get $j) (local.get $n)))
          (local.set $here (i32.add (local.get $here) (i32.const 8)))
          (local.set $mark (i32.add (local.get $mark) (i32.const 4)))
          (local.set $turned (i32.add (local.get $turned) (local.get $row)))
          (local.set $p (local.get $start))
          (local.set $q (i32.add (local.get $turned) (i32.const 8)))
          (local.set $two (v128.const f64x2 inf inf))
          (local.set $end (i32.sub (local.get $here) (i32.const 24)))
          (block $noFour
            (br_if $noFour (i32.ge_s (local.get $p) (local.get $end)))
            (loop $four
              (local.set $two
                (f64x2.pmin
                  (f64x2.pmin
                    (local.get $two)
                    (f64x2.add
                      (v128.load (local.get $p))
                      (v128.load (local.get $q))))
                  (f64x2.add
                    (v128.load offset=16 (local.get $p))
                    (v128.load offset=16 (local.get $q)))))
              (local.set $q (i32.add (local.get $q) (i32.const 32)))
              (local.set $p (i32.add (local.get $p) (i32.const 32)))
              (br_if $four (i32.lt_s (local.get $p) (local.get $end)))))
          (local.set $best
            (f64.min
              (f64x2.extract_lane 0 (local.get $two))
              (f64x2.extract_lane 1 (local.get $two))))
          (block $noOne
            (loop $one
              (br_if $noOne (i32.ge_u (local.get $p) (local.get $here)))
              (local.set $best
                (f64.min
                  (local.get $best)
                  (f64.add
                    (f64.load (local.get $p))
                    (f64.load (local.get $q)))))
              (local.set $p (i32.add (local.get $p) (i32.const 8)))
              (local.set $q (i32.add (local.get $q) (i32.const 8)))
              (br $one)))
          (local.set $best
            (f64.add
              (local.get $best)
              (f64.add
                (f64.sub
                  (f64.load offset=8
                    (i32.add
                      (local.get $sums)
                      (i32.shl (local.get $j) (i32.const 3))))
                  (f64.load (local.get $sum)))
                (local.get $testCost))))
          (if (f64.lt (local.get $best) (f64.load (local.get $here)))
            (then
              (f64.store (local.get $here) (local.get $best))
              (i32.store (local.get $mark) (i32.const 0))))
          (f64.store (local.get $turned) (f64.load (local.get $here)))
          (local.set $j (i32.add (local.get $j) (i32.const 1)))
          (br $ends)))
      (br_if $starts (local.get $i)))))
