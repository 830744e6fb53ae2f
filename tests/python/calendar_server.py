"""A calendar of OpenTimestamps and the chain that it writes to, both of one process: the library of the format's
authors, and blocks of a regtest chain that are mined on demand.

usage: calendar_server.py PORT
"""

import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bitcoin.core import CBlockHeader
from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, PendingAttestation
from opentimestamps.core.op import OpAppend, OpPrepend, OpSHA256
from opentimestamps.core.serialize import BytesSerializationContext
from opentimestamps.core.timestamp import Timestamp

PORT = int(sys.argv[1])
HERE = f"http://127.0.0.1:{PORT}"
WAITING = []
LED = {}
BLOCKS = []


def written(stamp):
    context = BytesSerializationContext()
    stamp.serialize(context)
    return context.getbytes()


def mine(commitment):
    """A block whose one transaction has the commitment in it."""
    stamp = Timestamp(commitment)
    root = stamp.ops.add(OpPrepend(b"tx")).ops.add(OpAppend(b"end")).ops.add(OpSHA256()).ops.add(OpSHA256())
    previous = BLOCKS[-1].GetHash() if BLOCKS else bytes(32)
    nonce = 0
    while True:
        block = CBlockHeader(1, previous, root.msg, 1700000000 + 600 * len(BLOCKS), 0x207FFFFF, nonce)
        if block.GetHash()[::-1] < b"\x7f\xff\xff" + bytes(29):
            break
        nonce += 1
    root.attestations.add(BitcoinBlockHeaderAttestation(len(BLOCKS)))
    BLOCKS.append(block)
    LED[commitment] = stamp


class Handler(BaseHTTPRequestHandler):
    def answer(self, body, status=200):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/mine":
            while WAITING:
                mine(WAITING.pop(0))
            self.answer(b"")
        elif self.path == "/digest" and len(body) <= 64:
            stamp = Timestamp(body)
            # A calendar gathers what it gets in a second, and keeps what that comes to.
            kept = stamp.ops.add(OpAppend(os.urandom(8))).ops.add(OpSHA256()).ops.add(OpPrepend(b"\x65")).ops.add(OpAppend(b"mac"))
            kept.attestations.add(PendingAttestation(HERE))
            WAITING.append(kept.msg)
            self.answer(written(stamp))
        else:
            self.answer(b"no", 404)

    def do_GET(self):
        part = self.path.split("/")
        if part[1] == "timestamp" and (led := LED.get(bytes.fromhex(part[2]))):
            self.answer(written(led))
        elif part[1] == "block-height" and int(part[2]) < len(BLOCKS):
            self.answer(BLOCKS[int(part[2])].GetHash()[::-1].hex().encode())
        elif part[1] == "block":
            found = [block for block in BLOCKS if block.GetHash()[::-1].hex() == part[2]]
            self.answer(found[0].serialize().hex().encode(), 200)
        else:
            self.answer(b"not yet", 404)

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
