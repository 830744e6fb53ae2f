"""Reads a proof with the library of OpenTimestamps' authors, holds it against a block's header, and prints what it says.

usage: verify_ots.py FILE.ots HEADER_HEX
"""

import json
import sys

from bitcoin.core import CBlockHeader
from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, PendingAttestation
from opentimestamps.core.serialize import BytesDeserializationContext, BytesSerializationContext
from opentimestamps.core.timestamp import DetachedTimestampFile

with open(sys.argv[1], "rb") as file:
    proof = file.read()
context = BytesDeserializationContext(proof)
read = DetachedTimestampFile.deserialize(context)
context.assert_eof()
again = BytesSerializationContext()
read.serialize(again)
header = CBlockHeader.deserialize(bytes.fromhex(sys.argv[2])) if len(sys.argv) > 2 else None
said = {"digest": read.file_digest.hex(), "same_bytes": again.getbytes() == proof, "pending": [], "blocks": {}}
for message, attestation in read.timestamp.all_attestations():
    if isinstance(attestation, PendingAttestation):
        said["pending"].append(attestation.uri)
    if isinstance(attestation, BitcoinBlockHeaderAttestation):
        said["blocks"][attestation.height] = attestation.verify_against_blockheader(message, header)
print(json.dumps(said))
