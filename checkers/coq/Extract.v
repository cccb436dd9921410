From Coq Require Import Extraction ExtrOcamlBasic.
From Certificate Require Import Bpf Checker.

(* [N] stays as it is: numbers are lists of bits, so no arithmetic of OCaml's
   has to be trusted. *)
Extraction "checker.ml" check_certificate.
