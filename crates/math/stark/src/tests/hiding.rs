//! That nothing of the binary is in a proof, as far as a test can see it.

use std::collections::HashSet;

use p3_uni_stark::StarkGenericConfig;
use symbolon_ambient::SeededRng;

use super::{context, proven};
use crate::config::{SALT, config};
use crate::statement::Statement;

/// Bytes of a run that no two proofs have in common.
const RUN: usize = 8;

#[test]
fn two_proofs_of_one_binary_have_no_run_of_bytes_in_common() {
    let (one, other) = (proven(200, 1), proven(200, 2));
    let numbers = |proof: &crate::Proof| postcard::to_allocvec(proof.inner()).unwrap();
    let (one, other) = (numbers(&one), numbers(&other));
    // But for lengths, and zeros where the parameters ask for no work.
    let runs: HashSet<&[u8]> = one.windows(RUN).collect();
    let drawn = |run: &&[u8]| run.iter().filter(|&&byte| byte == 0).count() < RUN / 2;
    let common = other.windows(RUN).filter(drawn).filter(|run| runs.contains(run)).count();
    assert_eq!(common, 0);
}

#[test]
fn what_is_opened_of_a_row_is_no_row_of_the_trace() {
    // Rows of a trace are bits and limbs of 16 bits; those that are opened are uniform.
    let proof = proven(200, 1);
    let (_, fri) = &proof.inner().opening_proof;
    for batch in &fri.input_openings {
        for row in batch.opened_values.iter().flatten() {
            let small = row.iter().filter(|value| format!("{value}").len() <= 5).count();
            assert!(small <= 4, "{small} of {} values are small", row.len());
        }
        let (salts, _) = &batch.opening_proof;
        assert!(salts.iter().flatten().all(|salt| salt.len() == SALT));
        let different: HashSet<String> =
            salts.iter().flatten().map(|salt| format!("{salt:?}")).collect();
        assert!(different.len() > 80, "salts are drawn for each leaf");
    }
}

#[test]
fn the_commitment_scheme_is_the_hiding_one() {
    let statement = Statement::of(b"", context()).unwrap();
    assert_eq!(config(&statement, &SeededRng::new(1)).is_zk(), 1);
}
