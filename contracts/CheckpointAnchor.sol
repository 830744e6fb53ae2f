// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

/// Checkpoints of append-only logs, each larger than the one before.
///
/// A log is known by who writes it and by the SHA-256 of its origin. Nobody registers an origin, so there is no
/// registration to run in front of: whoever sends under another address writes to a log of their own, and a reader
/// names the address that it believes. The contract has no owner, takes no money and cannot be changed.
/// It does not read roots: that a larger tree continues a smaller one is shown by the log's own consistency proofs.
contract CheckpointAnchor {
    /// The newest checkpoint of one log. `size` 0 stands for none.
    struct Checkpoint {
        uint64 size;
        uint64 blockNumber;
        bytes32 root;
        bytes32 digest;
    }

    /// A checkpoint was anchored: the tree's size and root, and the SHA-256 of the checkpoint's bytes.
    event Anchored(address indexed submitter, bytes32 indexed origin, uint64 indexed size, bytes32 root, bytes32 digest);

    /// The size is not above the one that is anchored already.
    error NotLarger(uint64 anchored, uint64 offered);

    mapping(address submitter => mapping(bytes32 origin => Checkpoint)) private newest;

    /// Anchors a checkpoint of the sender's log.
    function anchor(bytes32 origin, uint64 size, bytes32 root, bytes32 digest) external {
        Checkpoint storage last = newest[msg.sender][origin];
        if (size <= last.size) revert NotLarger(last.size, size);
        newest[msg.sender][origin] = Checkpoint(size, uint64(block.number), root, digest);
        emit Anchored(msg.sender, origin, size, root, digest);
    }

    /// The newest checkpoint of a log; all of it is zero where there is none.
    function latest(address submitter, bytes32 origin) external view returns (Checkpoint memory) {
        return newest[submitter][origin];
    }
}
