//! The proof system and its parameters, of which `specs/sha3-stark.md` gives the reasons.

use p3_blake3::Blake3;
use p3_challenger::{HashChallenger, SerializingChallenger32};
use p3_commit::ExtensionMmcs;
use p3_dft::Radix2DitParallel;
use p3_field::extension::QuinticTrinomialExtensionField;
use p3_fri::{FriParameters, HidingFriPcs};
use p3_koala_bear::KoalaBear;
use p3_merkle_tree::MerkleTreeHidingMmcs;
use p3_symmetric::{CompressionFunctionFromHasher, SerializingHasher};
use p3_uni_stark::StarkConfig;
use rand_010::SeedableRng;
use rand_010::rngs::StdRng;
use symbolon_ambient::Rng;

use crate::statement::Statement;

/// A number of the trace.
pub(crate) type Value = KoalaBear;
/// A challenge.
pub(crate) type Challenge = QuinticTrinomialExtensionField<Value>;
type Compress = CompressionFunctionFromHasher<Blake3, 2, DIGEST>;
type Tree =
    MerkleTreeHidingMmcs<Value, u8, SerializingHasher<Blake3>, Compress, StdRng, 2, DIGEST, SALT>;
type ChallengeTree = ExtensionMmcs<Value, Challenge, Tree>;
type Commitments = HidingFriPcs<Value, Radix2DitParallel<Value>, Tree, ChallengeTree, StdRng>;
type Transcript = SerializingChallenger32<Value, HashChallenger<u8, Blake3, DIGEST>>;
/// The proof system.
pub(crate) type Config = StarkConfig<Commitments, Challenge, Transcript>;
/// A proof as the library has it.
pub(crate) type Inner = p3_uni_stark::Proof<Config>;

/// The parameters as the transcript names them. Whatever is changed here is another version of the statement.
pub(crate) const PARAMETERS: &str =
    "koalabear^5 blake3 keccak-air-0.8 blowup 4 queries 100 pow 16 arity 8 salt 4 random 5";

const DIGEST: usize = 32;
/// Random elements beside each leaf.
pub(crate) const SALT: usize = 4;
/// Random columns beside each matrix, as many as a challenge has elements.
pub(crate) const RANDOM_COLUMNS: usize = 5;
/// Constraints are of degree 3, and of 4 once the trace is masked: no smaller code has room for their quotient.
pub(crate) const BLOWUP_LOG2: usize = 2;
/// Places at which the codewords are opened.
pub(crate) const QUERIES: usize = 100;
const ARITY_LOG2: usize = 3;
const QUERY_WORK_BITS: usize = 16;
/// The lowest trace whose rows can mask all openings: `2 (queries + 2 * 5)` rows at least.
pub(crate) const HEIGHT_LOG2_MIN: usize = 8;

/// The proof system for one statement. `rng` masks and salts what is proven; a verifier draws nothing from it.
pub(crate) fn config(statement: &Statement, rng: &dyn Rng) -> Config {
    let random = || {
        let mut seed = [0; 32];
        rng.fill(&mut seed);
        StdRng::from_seed(seed)
    };
    let tree = || Tree::new(SerializingHasher::new(Blake3), Compress::new(Blake3), 0, random());
    let commitments = Commitments::new(
        Radix2DitParallel::default(),
        tree(),
        parameters(ChallengeTree::new(tree())),
        RANDOM_COLUMNS,
        random(),
    );
    Config::new(commitments, Transcript::from_hasher(statement.transcript(), Blake3))
}

/// The low-degree test.
pub(crate) const fn parameters<Tree>(mmcs: Tree) -> FriParameters<Tree> {
    FriParameters {
        log_blowup: BLOWUP_LOG2,
        log_final_poly_len: 0,
        max_log_arity: ARITY_LOG2,
        num_queries: QUERIES,
        batch_proof_of_work_bits: 0,
        commit_proof_of_work_bits: 0,
        query_proof_of_work_bits: QUERY_WORK_BITS,
        mmcs,
    }
}
