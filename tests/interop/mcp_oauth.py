"""An assistant, by the client of the MCP project's Python SDK with its OAuth flow: discovery, registration, PKCE, code,
tokens, renewal. What it asks a person for is a line on standard output; each line on standard input is the address that
they were sent back to, and then a step. Each answer is one line of JSON.

    python mcp_oauth.py URL REDIRECT_URL MODE
"""

import asyncio
import json
import sys
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth import OAuthClientProvider, TokenStorage
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata

URL, REDIRECT, MODE = sys.argv[1:]


def say(answer):
    print(json.dumps(answer), flush=True)


async def line():
    return (await asyncio.to_thread(sys.stdin.readline)).rstrip("\n")


class Kept(TokenStorage):
    tokens = client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info):
        self.client = client_info


kept = Kept()


async def redirected(address):
    say({"redirect": address, "client": kept.client.model_dump(mode="json", exclude_none=True)})


async def called_back():
    given = parse_qs(urlsplit(await line()).query)
    one = lambda name: given.get(name, [None])[0]
    if one("error"):
        raise RuntimeError(f"refused: {one('error')}")
    return AuthorizationCodeResult(code=one("code"), state=one("state"), iss=one("iss"))


async def step(client, provider, words):
    name, _, rest = words.partition(" ")
    match name:
        case "tools":
            return [tool.name for tool in (await client.list_tools(cache_mode="bypass")).tools]
        case "call":
            asked = json.loads(rest)
            result = await client.call_tool(asked["name"], asked["arguments"])
            return {"error": bool(result.is_error), "content": result.structured_content}
        case "expire":
            # As its clock would say: the next request renews first.
            provider.context.token_expiry_time = 1
            return None
        case "tokens":
            return kept.tokens.model_dump(mode="json", exclude_none=True)
    raise RuntimeError(f"no step {name}")


async def main():
    metadata = OAuthClientMetadata(client_name="Python assistant", redirect_uris=[REDIRECT], token_endpoint_auth_method="none")
    provider = OAuthClientProvider(URL, metadata, kept, redirected, called_back)
    async with httpx2.AsyncClient(auth=provider, timeout=30) as http:
        async with Client(streamable_http_client(URL, http_client=http), mode=MODE) as client:
            say({"ok": {"server": client.server_info.name, "protocol": client.protocol_version}})
            while words := await line():
                try:
                    say({"ok": await step(client, provider, words)})
                except Exception as error:
                    say({"error": type(error).__name__, "message": str(error)})


def leaf(error):
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


try:
    asyncio.run(main())
except BaseException as error:
    error = leaf(error)
    say({"error": type(error).__name__, "message": str(error)})
    sys.exit(1)
