//! Where everything stands in a row.

use p3_keccak_air::NUM_KECCAK_COLS;

use crate::sponge::RATE_LIMBS;

/// Columns of ours, after those of the permutation.
pub(crate) struct Column;

impl Column {
    /// How many blocks are left, this one counted.
    pub const LEFT: usize = NUM_KECCAK_COLS;
    /// The inverse of `LEFT - 1`, or zero where there is none.
    pub const INVERSE: usize = Self::LEFT + 1;
    /// 1 in all rows of the last block.
    pub const LAST: usize = Self::INVERSE + 1;
    /// 1 in the first row of the last block: where padding is looked at.
    pub const PADDING: usize = Self::LAST + 1;
    /// 1 where padding begins in the high byte of its limb.
    pub const ODD: usize = Self::PADDING + 1;
    /// The highest bit of the rate's last limb before the last block, where padding begins before that limb.
    pub const TOP: usize = Self::ODD + 1;
    /// The rate's limbs before this block was added, good in the first row of each block.
    pub const BEFORE: usize = Self::TOP + 1;
    /// 1 at the limb in which padding begins.
    pub const LIMB: usize = Self::BEFORE + RATE_LIMBS;
    /// Bits of that limb before the block was added.
    pub const BITS_BEFORE: usize = Self::LIMB + RATE_LIMBS;
    /// Bits of it afterwards.
    pub const BITS_AFTER: usize = Self::BITS_BEFORE + 16;
    /// How many columns a row has.
    pub const COUNT: usize = Self::BITS_AFTER + 16;
}

/// How many columns a row has.
pub(crate) const COLUMNS: usize = Column::COUNT;

/// The first of the digest's limbs among the public values.
pub(crate) const fn limb_of_digest(limb: usize) -> usize {
    1 + limb
}
