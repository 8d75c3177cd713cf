"""The symbolic module: from Gaussian moments to equations in any language.

- `moments`, `traces` (with `trace_words`, `trace_algebra`, `trace_printing`): moments with and without indices
- `equations`, `forms`, `derivation`, `alignment`, `tensor_form`, `modified_equations`: loss and equations of motion
  derived from them
- `polynomials`, `gram_kernels`, `gram_form`: the same for any pair of elementary activations, in Gram entries
- `export`, `code_export`, `gram_code`, `printers`: as text, LaTeX, JSON, Python and JavaScript
- `expressions`: from text to an expression, without running it
- `exact`: exact numbers and checks that they share
"""
