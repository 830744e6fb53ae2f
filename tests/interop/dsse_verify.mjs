// Checks the DSSE envelope of a receipt with sigstore's verifier, offline.
//
//   cargo run -p symbolon-receipt --example receipt_sample -- DIR
//   npm install @sigstore/verify @sigstore/bundle @sigstore/protobuf-specs
//   node dsse_verify.mjs DIR
//
// A changed payload must be refused. Ends with status 1 otherwise.
import crypto from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

// Packages come from the folder that this is run in.
const require = createRequire(path.join(process.cwd(), 'package.json'));
const { bundleFromJSON } = require('@sigstore/bundle');
const { Verifier, toTrustMaterial, toSignedEntity } = require('@sigstore/verify');
const { TrustedRoot } = require('@sigstore/protobuf-specs');

const folder = process.argv[2];
const read = (name) => fs.readFileSync(path.join(folder, name), 'utf8');
const envelope = JSON.parse(read('envelope.json'));
const hint = envelope.signatures[0].keyid;
const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(read('key.hex').trim(), 'hex').toString('base64url') };
const rawBytes = crypto.createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'der' });

const root = TrustedRoot.fromJSON({
  mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  tlogs: [], certificateAuthorities: [], ctlogs: [], timestampAuthorities: [],
});
const PKIX_ED25519 = 7;
const trust = toTrustMaterial(root, {
  [hint]: { hint, rawBytes, keyDetails: PKIX_ED25519, validFor: { start: new Date(0) } },
});
// Our log is not sigstore's: its proof is checked elsewhere.
const verifier = new Verifier(trust, { tlogThreshold: 0, tsaThreshold: 0, ctlogThreshold: 0 });
const verify = (dsseEnvelope) => verifier.verify(toSignedEntity(bundleFromJSON({
  mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
  verificationMaterial: { publicKey: { hint }, tlogEntries: [] },
  dsseEnvelope,
})));

verify(envelope);
console.log('@sigstore/verify: the envelope verifies');
const payload = Buffer.from(envelope.payload, 'base64');
payload[payload.length - 2] ^= 1;
try {
  verify({ ...envelope, payload: payload.toString('base64') });
} catch (error) {
  console.log('@sigstore/verify: a changed payload is refused:', error.code ?? error.name);
  process.exit(0);
}
console.log('@sigstore/verify: A CHANGED PAYLOAD IS TAKEN');
process.exit(1);
