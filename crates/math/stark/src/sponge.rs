//! SHA3-512 block by block: what the trace is made of, and the twin that it is held against.

use p3_keccak::KeccakF;
use p3_keccak_air::NUM_ROUNDS;

/// The sponge's rate in bytes: what one block carries.
pub(crate) const RATE_BYTES: usize = 72;
/// Limbs of 16 bits in the state that a block is added to.
pub(crate) const RATE_LIMBS: usize = RATE_BYTES / 2;
/// Limbs of 16 bits in the whole state.
pub(crate) const STATE_LIMBS: usize = 100;
/// Limbs of 16 bits in a digest.
pub(crate) const DIGEST_LIMBS: usize = 32;
/// Rows of the trace for one permutation.
pub(crate) const ROUNDS: usize = NUM_ROUNDS;

/// The state between two blocks, 25 lanes (FIPS 202, section 3.1.2: lane `x + 5 y`).
pub(crate) type State = [u64; 25];

/// What one permutation of the sponge is given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Absorbed {
    /// The state that the permutation before left, zero for the first.
    pub before: State,
    /// That state with the block added: the permutation's input.
    pub input: State,
}

/// Where padding begins, in a last block: what is hidden of a binary's length.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PaddingAt(pub usize);

/// How many blocks a message of this length has. There is always one for padding.
pub(crate) const fn blocks_of(length: usize) -> usize {
    length / RATE_BYTES + 1
}

/// Every permutation of SHA3-512 over `message`, in order, and where the padding begins in the last block.
pub(crate) fn absorb(message: &[u8]) -> (Vec<Absorbed>, PaddingAt) {
    let at = message.len() % RATE_BYTES;
    let mut state = [0; 25];
    let mut all = Vec::with_capacity(blocks_of(message.len()));
    for index in 0..blocks_of(message.len()) {
        let from = index * RATE_BYTES;
        let mut block = [0; RATE_BYTES];
        let part = &message[from..message.len().min(from + RATE_BYTES)];
        block[..part.len()].copy_from_slice(part);
        if part.len() < RATE_BYTES {
            block[at] ^= FIRST_OF_PADDING;
            block[RATE_BYTES - 1] ^= LAST_OF_PADDING;
        }
        let absorbed = Absorbed { before: state, input: add(state, &block) };
        state = permuted(absorbed.input);
        all.push(absorbed);
    }
    (all, PaddingAt(at))
}

/// The permutation alone, Keccak-f[1600].
pub(crate) fn permuted(mut state: State) -> State {
    use p3_symmetric::Permutation;
    KeccakF.permute_mut(&mut state);
    state
}

fn add(mut state: State, block: &[u8; RATE_BYTES]) -> State {
    for (lane, bytes) in state.iter_mut().zip(block.as_chunks::<8>().0) {
        *lane ^= u64::from_le_bytes(*bytes);
    }
    state
}

/// A state as limbs of 16 bits, the least significant of each lane first.
pub(crate) fn limbs(state: &State) -> [u16; STATE_LIMBS] {
    std::array::from_fn(|at| (state[at / 4] >> (16 * (at % 4))) as u16)
}

/// A digest as limbs of 16 bits, in the order of a state's.
pub(crate) fn digest_limbs(digest: &[u8; 64]) -> [u16; DIGEST_LIMBS] {
    std::array::from_fn(|at| u16::from_le_bytes([digest[2 * at], digest[2 * at + 1]]))
}

/// The two bits that tell SHA3 from its siblings, and the first bit of the padding rule (FIPS 202, section B.2).
const FIRST_OF_PADDING: u8 = 0x06;
const LAST_OF_PADDING: u8 = 0x80;

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(message: &[u8]) -> [u8; 64] {
        let (all, _) = absorb(message);
        let last = limbs(&permuted(all.last().unwrap().input));
        std::array::from_fn(|at| last[at / 2].to_le_bytes()[at % 2])
    }

    #[test]
    fn the_sponge_is_the_hash_of_others_at_every_length_around_its_borders() {
        for length in (0..=2 * RATE_BYTES + 2).chain([215, 216, 217, 1000, 4096]) {
            let message: Vec<u8> = (0..length).map(|at| (at * 31 + length) as u8).collect();
            assert_eq!(digest(&message), symbolon_crypto::sha3_512(&message), "of {length} bytes");
            assert_eq!(absorb(&message).0.len(), blocks_of(length));
        }
    }
}
