"""A gRPC server and a client of it, both grpcio as its authors publish it.

server FOLDER: makes a certificate for localhost (FOLDER/ca.pem), serves, prints the port. Every method
wants `authorization: Bearer CREDENTIAL`, which is read from the first line of standard input.
client PORT CASE: makes one call with `authorization: Bearer $SYMREF_GRPC_ECHO` and prints what came of it.
"""

import datetime
import os
import sys
from concurrent import futures

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

SERVICE = "symbolon.test.Echo"


def certificate(folder):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = datetime.datetime.now(datetime.timezone.utc)

    def make(name, issuer, issuer_key, key, extensions):
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + datetime.timedelta(days=1))
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(issuer_key, hashes.SHA256())

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = make("ca", "ca", ca_key, ca_key, [(x509.BasicConstraints(ca=True, path_length=0), True)])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    leaf = make("localhost", "ca", ca_key, key, [(names, False)])
    pem = serialization.Encoding.PEM
    with open(os.path.join(folder, "ca.pem"), "wb") as file:
        file.write(ca.public_bytes(pem))
    secret = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return secret, leaf.public_bytes(pem)


class Authorized(grpc.ServerInterceptor):
    """Lets nobody in without the credential."""

    def __init__(self, credential):
        self.expected = "Bearer " + credential

        def refuse(_, context):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "no credential")

        self.refusal = grpc.unary_unary_rpc_method_handler(refuse)

    def intercept_service(self, go_on, details):
        metadata = dict(details.invocation_metadata)
        return go_on(details) if metadata.get("authorization") == self.expected else self.refusal


def methods(credential):
    secret = credential.encode()
    half = len(secret) // 2

    def unary(request, _):
        return b"heard " + request

    def stream(request, _):
        for n in range(int(request)):
            yield b"part %d " % n + b"x" * 100_000

    def chat(requests, context):
        for request in requests:
            yield b"re: " + request
        context.set_trailing_metadata((("x-over", "1"),))

    def leak(_, __):
        return b"your token is " + secret

    def leak_late(_, __):
        yield b"harmless"
        yield b"your token is " + secret
        yield b"never seen"

    def leak_split(_, __):
        yield b"first " + secret[:half]
        yield secret[half:] + b" second"

    def leak_trailer(_, context):
        context.set_trailing_metadata((("x-token", credential),))
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "bad token " + credential)

    def packed(_, context):
        context.set_compression(grpc.Compression.Gzip)
        return b"a" * 10_000

    unary_unary = grpc.unary_unary_rpc_method_handler
    unary_stream = grpc.unary_stream_rpc_method_handler
    return {
        "Unary": unary_unary(unary),
        "Stream": unary_stream(stream),
        "Chat": grpc.stream_stream_rpc_method_handler(chat),
        "Leak": unary_unary(leak),
        "LeakLate": unary_stream(leak_late),
        "LeakSplit": unary_stream(leak_split),
        "LeakTrailer": unary_unary(leak_trailer),
        "Packed": unary_unary(packed),
        "Unlisted": unary_unary(unary),
    }


def serve(folder):
    credential = sys.stdin.readline().strip()
    server = grpc.server(
        futures.ThreadPoolExecutor(8), interceptors=[Authorized(credential)]
    )
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE, methods(credential)),)
    )
    status = health.HealthServicer()
    status.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(status, server)
    port = server.add_secure_port(
        "127.0.0.1:0", grpc.ssl_server_credentials([certificate(folder)])
    )
    server.start()
    print("port", port, flush=True)
    sys.stdin.read()  # ends with its parent


def call(port, case):
    token = os.environ["SYMREF_GRPC_ECHO"]
    metadata = [("authorization", "Bearer " + token)]
    channel = grpc.secure_channel(f"localhost:{port}", grpc.ssl_channel_credentials())
    path = f"/{SERVICE}/{case}"
    limits = {"metadata": metadata, "timeout": 30}
    if case == "Health":
        stub = health_pb2_grpc.HealthStub(channel)
        print("status", stub.Check(health_pb2.HealthCheckRequest(), **limits).status)
    elif case == "Chat":
        # Each word is said when the answer to the one before it was heard.
        heard = []

        def words():
            for n in range(5):
                while len(heard) < n:
                    pass
                yield b"word %d" % n

        answers = channel.stream_stream(path)(words(), **limits)
        for answer in answers:
            heard.append(answer)
            print(answer.decode())
        print("trailer", dict(answers.trailing_metadata()).get("x-over"))
    elif case in ("Stream", "LeakLate", "LeakSplit"):
        for answer in channel.unary_stream(path)(b"30", **limits):
            print("message", len(answer), answer[:40].decode())
    else:
        answer, done = channel.unary_unary(path).with_call(b"hello", **limits)
        print("message", answer.decode()[:100])


def main():
    if sys.argv[1] == "server":
        return serve(sys.argv[2])
    try:
        call(*sys.argv[2:4])
    except grpc.RpcError as error:
        print("failed", error.code().name, error.details())
        print("trailers", list(error.trailing_metadata() or []))


main()
