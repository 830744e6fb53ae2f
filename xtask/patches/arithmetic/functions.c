/* What `try.mjs` compares: multiplication as blst has it, and as the patch beside it does it, built as the prover is. */
#include "vect.h"
#include "bytes.h"
#include "no_asm.h"

static limb_t a[12], b[12], p[12], out[12];

#define EXPORT(NAME) __attribute__((export_name(NAME)))

EXPORT("a") limb_t *at_a(void) { return a; }
EXPORT("b") limb_t *at_b(void) { return b; }
EXPORT("p") limb_t *at_p(void) { return p; }
EXPORT("out") limb_t *at_out(void) { return out; }

EXPORT("before_256") void try_before_256(limb_t n0) { mul_mont_n(out, a, b, p, n0, NLIMBS(256)); }
EXPORT("before_384") void try_before_384(limb_t n0) { mul_mont_n(out, a, b, p, n0, NLIMBS(384)); }
EXPORT("mul_256") void try_mul_256(limb_t n0) { mul_mont_sparse_256(out, a, b, p, n0); }
EXPORT("mul_384") void try_mul_384(limb_t n0) { mul_mont_384(out, a, b, p, n0); }
EXPORT("sqr_256") void try_sqr_256(limb_t n0) { sqr_mont_sparse_256(out, a, p, n0); }
EXPORT("sqr_384") void try_sqr_384(limb_t n0) { sqr_mont_384(out, a, p, n0); }
/* In place, as blst calls them often. */
EXPORT("own_256") void try_own_256(limb_t n0) { mul_mont_sparse_256(a, a, b, p, n0); }
EXPORT("own_384") void try_own_384(limb_t n0) { mul_mont_384(b, a, b, p, n0); }
