// Made of /api/openapi.json by web/tests/schema.mjs, and by nobody else.
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description An agent that has a key. */
        Agent: {
            /** @description When its key was made, RFC 3339. */
            created: string;
            /** @description The first characters of the key's hash. */
            key_id: string;
            /** @description The agent that made it by delegation. */
            made_by?: string | null;
            /** @description Its name. */
            name: string;
        };
        /** @description Agents. */
        Agents: {
            /** @description The agents. */
            agents: components["schemas"]["Agent"][];
        };
        /** @description The broker as an agent may see it. */
        AgentStatus: {
            /** @description Whose key this is. */
            agent: string;
            /** @description `group` or `relaxed`. */
            durability: string;
            /** @description How many tools this agent may call now. */
            granted_tools: number;
            /**
             * Format: int64
             * @description Entries in the log.
             */
            log_entries: number;
            /** @description Where secrets live, in a phrase. */
            memory: string;
            /** @description Whether the vault is open. */
            unlocked: boolean;
            /**
             * Format: int64
             * @description Milliseconds since the broker started.
             */
            uptime_ms: number;
            /** @description The program's version. */
            version: string;
        };
        /** @description The answer to a challenge. */
        Answer: {
            /** @description The challenge. */
            challenge_id: string;
            /** @description As its method has it (specs/sessions.md). */
            proof: Record<string, never>;
        };
        /** @description A question, with what it is about. */
        Approval: {
            /** @description Who asked. */
            agent: string;
            /** @description `owner`, or `client` too. */
            answers: string;
            /** @description When it was asked, RFC 3339. */
            asked: string;
            /** @description With which credential. */
            connection: string;
            /** @description When, RFC 3339. */
            decided?: string | null;
            /** @description `owner` or `client`. */
            decided_by?: string | null;
            /** @description `cli`, `http` or `mcp`. */
            decided_via?: string | null;
            /** @description Through which door. */
            door: string;
            /** @description `read`, `write` or `destructive`. */
            effect: string;
            /** @description When it ends, RFC 3339. */
            expires: string;
            /**
             * Format: int64
             * @description Seconds until then.
             */
            expires_in_seconds: number;
            /**
             * Format: int64
             * @description The grant that lets it.
             */
            grant: number;
            /**
             * Format: int64
             * @description Its number.
             */
            number: number;
            /**
             * Format: int64
             * @description The receipt, where it ended without a call.
             */
            receipt?: number | null;
            request?: components["schemas"]["ExactRequest"] | null;
            /** @description The grant's rule that wants a person asked. */
            rule: string;
            /** @description What would be done, in one sentence. */
            sentence: string;
            /** @description Of which service. */
            service: string;
            /** @description `pending`, `approved`, `used`, `denied`, `expired`, `withdrawn`, `locked` or `stopped`. */
            state: string;
            /** @description What. */
            tool: string;
        };
        /** @description All questions. */
        Approvals: {
            /** @description The last that ended. */
            ended: components["schemas"]["Approval"][];
            /** @description Those that wait. */
            pending: components["schemas"]["Approval"][];
            /** @description Approvals that stand for a while. */
            remembered: components["schemas"]["Remembered"][];
        };
        /** @description What is asked for, and how it will be proved. */
        Ask: {
            /** @description A wallet's address, as its chain writes it; needed with a wallet. */
            address?: string | null;
            /**
             * Format: int64
             * @description The chain of an Ethereum wallet (EIP-155); 1 where absent.
             */
            chain_id?: number | null;
            /** @description The name to sign in with: needed with a password, free at any sign-up. */
            handle?: string | null;
            /** @description `passkey`, `password`, `key`, `ethereum` or `solana`. */
            method: string;
            opaque?: components["schemas"]["AskOpaque"] | null;
            /** @description `sign-up`, `sign-in`, `add` or `confirm`. */
            purpose: string;
        };
        /** @description An authorization request, as it came to the page. */
        Asked: {
            /** @description The query, without its question mark. */
            query: string;
        };
        /** @description What must be answered. */
        Asking: {
            /** @description Names it in the answer. */
            challenge_id: string;
            /**
             * Format: int64
             * @description From when on it is good for nothing, in Unix milliseconds.
             */
            expires_unix_ms: number;
            /** @description The text that a wallet signs. */
            message?: string | null;
            /** @description 32 bytes that a key's signature covers, base64url. */
            nonce?: string | null;
            opaque?: components["schemas"]["AskingOpaque"] | null;
            /** @description Options for `navigator.credentials`, with a passkey. */
            passkey?: Record<string, never> | null;
        };
        /** @description A call, and how it waits where a person is asked. */
        AskingCallRequest: {
            /** @description Its parameters, checked against the tool's schema. */
            arguments?: Record<string, never> | null;
            asking?: components["schemas"]["Poll"] | null;
            /** @description Which connection of the service, where the agent was granted several. */
            connection?: string | null;
            /** @description The placeholder of a minted credential, to be sent in place of the connection's. */
            minted?: string | null;
            /** @description The tool, such as `github.issues.list`. */
            tool: string;
        };
        /** @description OPAQUE's second message. */
        AskingOpaque: {
            /** @description RegistrationResponse or CredentialResponse, base64url. */
            response: string;
            /** @description The server's key, which clients pin: 64 hex digits. */
            server_key: string;
        };
        /** @description OPAQUE's first message (RFC 9807). */
        AskOpaque: {
            /** @description RegistrationRequest for sign-up and add, CredentialRequest for sign-in and confirm; base64url. */
            request: string;
        };
        /** @description The authorization server (RFC 8414, section 2). */
        AuthorizationServer: {
            /** @description A page, for a person. */
            authorization_endpoint: string;
            /** @description RFC 9207. */
            authorization_response_iss_parameter_supported: boolean;
            /** @description draft-ietf-oauth-client-id-metadata-document. */
            client_id_metadata_document_supported: boolean;
            /** @description RFC 7636. */
            code_challenge_methods_supported: string[];
            /** @description Codes, and what follows them. */
            grant_types_supported: string[];
            /** @description Its name, which `iss` repeats. */
            issuer: string;
            /** @description RFC 7591. */
            registration_endpoint: string;
            /** @description In the query alone. */
            response_modes_supported: string[];
            /** @description Codes alone. */
            response_types_supported: string[];
            /** @description RFC 7009. */
            revocation_endpoint: string;
            /** @description The same. */
            revocation_endpoint_auth_methods_supported: string[];
            /** @description What may be asked for. */
            scopes_supported: string[];
            /** @description For codes and refresh tokens. */
            token_endpoint: string;
            /** @description Clients have no secret. */
            token_endpoint_auth_methods_supported: string[];
        };
        /** @description What a person must see before they decide. */
        AuthorizationView: {
            /** @description Where the answer goes. */
            answers_to: string;
            /** @description The host of the client's own address, where it has one: that was checked. */
            client_host?: string | null;
            /** @description What the client says that it is called. Nobody checked that. */
            client_name: string;
            /** @description Whether that is a program on the person's own machine. */
            on_this_machine: boolean;
            problem?: components["schemas"]["Problem"] | null;
            /** @description What is asked for. */
            scopes: components["schemas"]["ScopeView"][];
        };
        /** @description The log that acts are signed for. */
        AuthorshipLog: {
            /** @description The operator's key as text, which begins with the log's origin. Pin it: certificates are checked by it. */
            log: string;
        };
        /** @description The first registration of a digest. */
        AuthorshipView: {
            /** @description What verifies it offline: specs/authorship.md. */
            certificate: Record<string, never>;
            /** @description What was registered, 64 hex digits. */
            commitment: string;
            /** @description The digest, 64 hex digits; absent where it was not revealed. */
            digest?: string | null;
            /** @description The owner's handle, where they chose to be named. */
            handle?: string | null;
            /**
             * Format: int64
             * @description The index of its commit in the log.
             */
            index: number;
            /**
             * Format: int64
             * @description The index of its newest entry.
             */
            newest: number;
            /** @description The key that owns it now, 64 hex digits. */
            owner: string;
            /**
             * Format: int64
             * @description When it was registered, in Unix milliseconds.
             */
            registered_unix_ms: number;
        };
        /** @description A key that was blinded. */
        BlindedKey: {
            /** @description 32 bytes (RFC 9497, `blindedElement`). */
            element: string;
            /** @description The service's id. */
            service: string;
        };
        /** @description A budget and what was spent of it. Amounts are decimals in text, never floats. */
        Budget: {
            /** @description As its owner wrote it. */
            budget: string;
            /** @description What is left now. */
            left: string;
            /** @description When some of what is spent counts no longer, RFC 3339. */
            renews?: string | null;
            /** @description What counts as spent now, calls on their way included. */
            spent: string;
            /** @description What is counted: `calls`, `usd`. */
            unit: string;
        };
        /** @description An error in a pair: what went wrong, and what to do next. */
        CallError: {
            /** @description A stable word for programs, such as `no_grant`. */
            code: string;
            /** @description `caller`, `peer`, `environment` or `us`. */
            fault: string;
            /**
             * Format: int32
             * @description The HTTP status.
             */
            http_status: number;
            /** @description What went wrong, in a sentence. */
            message: string;
            /** @description The next step: an exact command where there is one. */
            next?: string | null;
            /**
             * Format: int64
             * @description The receipt, where one was written.
             */
            receipt?: number | null;
            /**
             * Format: int64
             * @description Seconds to wait before the same call can succeed.
             */
            retry_after_seconds?: number | null;
        };
        /** @description What the upstream answered, redacted. */
        CallReply: {
            /** @description JSON as it is, text as a string, other bytes as base64. */
            body: unknown;
            /**
             * Format: int64
             * @description Milliseconds from request to receipt.
             */
            duration_ms: number;
            /** @description `json`, `text`, `base64`, `tool_result` (of a mounted MCP server) or `none`. */
            encoding: string;
            /** @description Pairs of name and value, redacted. */
            headers: string[][];
            /**
             * Format: int64
             * @description The receipt's number.
             */
            receipt: number;
            /**
             * Format: int32
             * @description How often the credential was found in the response and taken out.
             */
            redactions: number;
            /**
             * Format: int32
             * @description The upstream's HTTP status.
             */
            status: number;
        };
        /** @description What a caller wants done. */
        CallRequest: {
            /** @description Its parameters, checked against the tool's schema. */
            arguments?: Record<string, never> | null;
            /** @description Which connection of the service, where the agent was granted several. */
            connection?: string | null;
            /** @description The placeholder of a minted credential, to be sent in place of the connection's. */
            minted?: string | null;
            /** @description The tool, such as `github.issues.list`. */
            tool: string;
        };
        /** @description Nothing is to be said. */
        Cancel: Record<string, never>;
        /** @description Revisions in the order of their commits. */
        ChangesView: {
            /** @description The vault's signed head as of this answer, base64url. */
            head: string;
            /** @description Whether there are more. */
            more: boolean;
            /**
             * Format: int64
             * @description Ask with this as `after` next.
             */
            next: number;
            /** @description Current revisions; those that a later one took the place of are left out. */
            revisions: components["schemas"]["RevisionView"][];
        };
        /** @description A chunk that is there. */
        ChunkRow: {
            /** @description SHA-256 of them, hex. */
            digest: string;
            /**
             * Format: int32
             * @description Which chunk, from 0.
             */
            index: number;
            /**
             * Format: int64
             * @description Its sealed bytes, counted.
             */
            size_bytes: number;
        };
        /** @description Chunks of an attachment. */
        Chunks: {
            /** @description Those that are there, by number. */
            chunks: components["schemas"]["ChunkRow"][];
        };
        /** @description How long credentials were in the clear. */
        Clear: {
            /**
             * Format: int64
             * @description How many times.
             */
            count: number;
            /**
             * Format: int64
             * @description Half were shorter.
             */
            p50: number;
            /**
             * Format: int64
             * @description 99 of 100 were shorter.
             */
            p99: number;
        };
        /** @description A commit that was taken. */
        Committed: {
            /**
             * Format: int64
             * @description The counter of the vault's head.
             */
            counter: number;
        };
        /** @description A connection as anyone may see it. */
        Connection: {
            /** @description The auth scheme, such as `bearer`. */
            auth: string;
            /** @description Where it leads. */
            base_url: string;
            /** @description Bound to this machine's fingerprint, and how strong that is. */
            bound_to: string;
            /** @description When it was made, RFC 3339. */
            created: string;
            /** @description Why its tokens are not renewed any more, in the provider's word. */
            ended?: string | null;
            /** @description It is of the owner's vault, and here while that is lent. */
            lent?: boolean | null;
            /** @description Its name. */
            name: string;
            /** @description The most that grants on it can give. */
            scopes: string[];
            /** @description The service. */
            service: string;
            /**
             * Format: int32
             * @description The status of the check call, where one was made.
             */
            verified?: number | null;
        };
        /** @description Connections. */
        Connections: {
            /** @description The connections. */
            connections: components["schemas"]["Connection"][];
        };
        /** @description Ways to sign in. */
        Credentials: {
            /** @description Oldest first. */
            credentials: components["schemas"]["CredentialView"][];
            /** @description The name of the account, where it has one. */
            handle?: string | null;
        };
        /** @description A way to sign in. */
        CredentialView: {
            /**
             * Format: int64
             * @description When it was added, in Unix milliseconds.
             */
            created_unix_ms: number;
            /** @description Its id. */
            id: string;
            /**
             * Format: int64
             * @description When it was last used, in Unix milliseconds.
             */
            last_used_unix_ms?: number | null;
            /** @description `passkey`, `password`, `key`, `ethereum` or `solana`. */
            method: string;
            /** @description What it is called. */
            name: string;
            /** @description The public key of a key, the id of a passkey: base64url. Of a wallet, its address as bytes. */
            subject?: string | null;
        };
        /** @description Where the page goes now. */
        Decided: {
            /** @description The client's address with what was decided. */
            address: string;
        };
        /** @description What a person says. */
        Decision: {
            /** @description Yes or no. */
            allow: boolean;
            /** @description The name, as it was shown. */
            client_name: string;
            /**
             * Format: int32
             * @description For how many days, 1 to 90.
             */
            days?: number;
            /** @description The query, as it was shown. */
            query: string;
            /** @description What of the asked is allowed. */
            scopes?: string[];
        };
        /** @description What was handed on. */
        Delegated: {
            /** @description The sub-agent. */
            agent: string;
            /** @description Its grant. */
            grant: components["schemas"]["Grant"];
            /** @description Its bearer key, shown once; absent where it has one. */
            key?: string | null;
        };
        /** @description A device of a key. */
        DeviceRow: {
            /**
             * Format: int64
             * @description When it was enrolled, in Unix milliseconds.
             */
            created_unix_ms: number;
            /** @description Its id. */
            id: string;
            /** @description What its holder calls it. */
            name: string;
            /**
             * Format: int64
             * @description When it was removed, in Unix milliseconds.
             */
            revoked_unix_ms?: number | null;
            /**
             * Format: int64
             * @description When it last logged in, in Unix milliseconds, to the minute.
             */
            used_unix_ms?: number | null;
        };
        /** @description A key with its devices, as they are now. */
        DeviceRows: {
            /** @description Oldest first. */
            devices: components["schemas"]["DeviceRow"][];
            /** @description The key's id. */
            key: string;
            /** @description What the service calls it. */
            key_name: string;
        };
        /** @description How many sessions were ended. */
        Ended: {
            /**
             * Format: int64
             * @description Sessions.
             */
            ended: number;
        };
        /** @description A device that may log in now. */
        EnrolledDevice: {
            /** @description Its id. */
            device: string;
            /** @description Whether the device is new. */
            is_new: boolean;
            /** @description The key's id. */
            key: string;
            /** @description What the service calls the key. */
            key_name: string;
            /** @description What its tokens may be good for. */
            scopes: string;
        };
        /** @description The function's step. */
        EvaluatedKey: {
            /** @description 32 bytes (RFC 9497, `evaluatedElement`). */
            element: string;
        };
        /** @description Events of an account. */
        Events: {
            /** @description In their order. */
            events: components["schemas"]["EventView"][];
        };
        /** @description An event. */
        EventView: {
            /**
             * Format: int64
             * @description When, in Unix milliseconds.
             */
            at_unix_ms: number;
            /** @description More of it. */
            detail: Record<string, never>;
            /** @description Its own, hex. */
            digest: string;
            /** @description What, such as `signed-in`. */
            kind: string;
            /**
             * Format: int64
             * @description Its place, from 1.
             */
            number: number;
            /** @description The digest of the event before, hex. */
            previous: string;
        };
        /** @description Byte for byte what will be sent, but for the credential. */
        ExactRequest: {
            /** @description The body. */
            body?: string | null;
            /**
             * Format: int64
             * @description All of its bytes.
             */
            body_bytes: number;
            /** @description Only its beginning stands here. */
            body_cut?: boolean | null;
            /** @description `none`, `text` or `base64`. */
            body_encoding: string;
            /** @description SHA-256 of the whole body. */
            body_sha256: string;
            /** @description How the credential goes out. */
            credential: string;
            /** @description What the approval is bound to. */
            digest: string;
            /** @description Headers that are set. */
            headers: string[][];
            /** @description The method. */
            method: string;
            /** @description Where to. */
            url: string;
        };
        /** @description A step that came into another state. */
        FlowEvent: {
            /**
             * Format: int64
             * @description Milliseconds since the run began, or began again.
             */
            at_ms: number;
            /**
             * Format: int32
             * @description Which attempt, from 1; 0 where there was none.
             */
            attempt: number;
            /**
             * Format: int64
             * @description The receipt, where there is one.
             */
            receipt?: number | null;
            /** @description As of a step. */
            state: string;
            /** @description The step. */
            step: string;
            /** @description Why, where there is something to say. */
            why?: string | null;
        };
        /** @description What a run is given. */
        FlowInputs: {
            /** @description By name; those with a default may be absent. */
            inputs?: Record<string, never> | null;
        };
        /** @description What happened in a run. */
        FlowProgress: {
            /** @description What happened, the first first. */
            events: components["schemas"]["FlowEvent"][];
            /** @description Whether nothing more will happen by itself. */
            is_over: boolean;
            /**
             * Format: int64
             * @description To ask with the next time.
             */
            next: number;
            /** @description Steps that are over. */
            over: number;
            /** @description The run. */
            run: string;
            /** @description As of a run. */
            state: string;
            /** @description Steps in all. */
            total: number;
        };
        /** @description A run with its steps. */
        FlowRun: {
            /** @description As whom it runs. */
            agent: string;
            /** @description When its state changed last, RFC 3339. */
            changed: string;
            /** @description When it began, RFC 3339. */
            created: string;
            /** @description The flow's name. */
            flow: string;
            /** @description `pipeline`, `assembly_line` or `radial_burst`. */
            kind: string;
            /** @description The next step, where a person has to do one. */
            next?: string | null;
            /** @description What the flow gives, where it is done and says so. */
            output?: Record<string, never> | null;
            /** @description 32 hexadecimal digits. */
            run: string;
            /**
             * @description `running`, `rolling_back`, `interrupted`, `done`, `failed`, `cancelled`, `rolled_back`,
             *     `rollback_failed` or `uncertain`.
             */
            state: string;
            /** @description Its steps, in the order of the definition. */
            steps: components["schemas"]["FlowStep"][];
        };
        /** @description Flows that are kept for an agent. */
        Flows: {
            /** @description By name. */
            flows: components["schemas"]["FlowStored"][];
        };
        /** @description A step of a run. */
        FlowStep: {
            /** @description Its id. */
            id: string;
            /**
             * Format: int64
             * @description The receipt of its last call, where there is one.
             */
            receipt?: number | null;
            /**
             * @description `pending`, `running`, `waiting`, `paused`, `done`, `skipped`, `failed`, `cancelled`,
             *     `uncertain`, `undoing`, `undone` or `undo_failed`.
             */
            state: string;
            /** @description The tool that it calls. */
            tool: string;
            /** @description Why, where there is something to say. */
            why?: string | null;
        };
        /** @description A flow that is kept. */
        FlowStored: {
            /** @description As whom it runs. */
            agent: string;
            /** @description When it was stored, RFC 3339. */
            created: string;
            /** @description What its author says of it. */
            description: string;
            /** @description Its name. */
            flow: string;
            /** @description Whether webhooks begin it. */
            hook: boolean;
            /** @description Its inputs, each a name and a type. */
            inputs: string[][];
            /** @description `pipeline`, `assembly_line` or `radial_burst`. */
            kind: string;
            /**
             * Format: int64
             * @description Times that came while nobody was there, or when it could not begin.
             */
            missed: number;
            /** @description When the clock begins it: five cron fields and a zone. */
            schedule?: string | null;
        };
        /** @description A grant. */
        Grant: {
            /** @description The grants that it is part of, the root first; empty where it stands alone. */
            above: number[];
            /** @description To whom. */
            agent: string;
            /** @description Which calls wait for a person. */
            ask: string[];
            /** @description Who may answer: `owner`, or `client` too. */
            ask_via: string;
            /** @description What it may use up, and what is left. */
            budgets: components["schemas"]["Budget"][];
            /** @description Made by the agent of the grant above it. */
            by_agent: boolean;
            /** @description On which connection. */
            connection: string;
            /**
             * Format: int64
             * @description Seconds between two calls of a scope.
             */
            cooldown_seconds?: number | null;
            /** @description When it was made, RFC 3339. */
            created: string;
            /**
             * Format: int32
             * @description How many levels of grants its agent may make under it.
             */
            delegable: number;
            /** @description When it ends, RFC 3339. */
            expires: string;
            /** @description When it is good; always where there are none. */
            hours: string[];
            /**
             * Format: int64
             * @description Its number.
             */
            id: number;
            /** @description What those say beside its own terms. */
            inherited: string[];
            /** @description Its parameter limits. */
            limits: string[];
            /** @description The scopes it gives. */
            scopes: string[];
            /** @description One sentence. */
            sentence: string;
            /** @description `active`, `expired` or `revoked`. */
            state: string;
        };
        /** @description An assistant that is connected. */
        GrantRow: {
            /** @description Where it was answered. */
            answers_to: string;
            /** @description The host of its own address, where it has one. */
            client_host?: string | null;
            /** @description What it said that it is called. */
            client_name: string;
            /**
             * Format: int64
             * @description When it was allowed, in Unix milliseconds.
             */
            created_unix_ms: number;
            /**
             * Format: int64
             * @description When it ends by itself, in Unix milliseconds.
             */
            ends_unix_ms: number;
            /** @description Its id. */
            id: string;
            /** @description What it may do. */
            scopes: components["schemas"]["ScopeView"][];
            /**
             * Format: int64
             * @description When it was last used, in Unix milliseconds, to the minute; never where it did not fetch its tokens.
             */
            used_unix_ms?: number | null;
        };
        /** @description Assistants of an account. */
        GrantRows: {
            /** @description Those that live, newest first. */
            grants: components["schemas"]["GrantRow"][];
        };
        /** @description Grants. */
        Grants: {
            /** @description The grants. */
            grants: components["schemas"]["Grant"][];
        };
        /** @description Whether calls can be made. */
        Health: {
            /** @description The next step where it is not ready. */
            next?: string | null;
            /** @description `ready` or `locked`. */
            status: string;
        };
        /** @description What is so of a token (RFC 7662, section 2.2). */
        Introspection: Record<string, never> & {
            /** @description Whether it is good for anything now. */
            active: boolean;
            /** @description How it is shown. */
            token_type?: string | null;
        };
        /** @description Who will prove. */
        KeyAsking: {
            /** @description The device's Ed25519 key, 32 bytes. */
            device: string;
            /** @description The service's id. */
            service: string;
        };
        /** @description What the proof is bound to. */
        KeyChallenge: {
            /** @description The service's address. */
            audience: string;
            /** @description Whether this server sees the exporter of the TLS connection. */
            channel: boolean;
            /**
             * Format: int64
             * @description For how long, in milliseconds.
             */
            expires_in_ms: number;
            /** @description The server's origin. */
            issuer: string;
            /** @description 72 bytes, good once. */
            nonce: string;
        };
        /** @description A device that proves its key. */
        KeyLogin: {
            /** @description The device's id. */
            device: string;
            /** @description What the token is to be good for: sorted words, one space between. */
            scope: string;
            /** @description The proof, with purpose `login`. */
            signed: components["schemas"]["SignedProof"];
        };
        /** @description What is done, proven. */
        KeyManaging: {
            /** @description `list`, `remove DEVICE` or `revoke`. */
            act: string;
            /** @description The device that asks. */
            device: string;
            /** @description The proof, with purpose `manage` and the act. */
            signed: components["schemas"]["SignedProof"];
        };
        /** @description An old key and its new one. */
        KeyRotation: {
            /** @description The device that does it. */
            device: string;
            /** @description The new key's proof, 64 bytes, with purpose `replace` and the old point. */
            new_proof: string;
            /** @description The new key's point, 32 bytes. */
            point: string;
            /** @description The old key's proof, with purpose `rotate` and the new point. */
            signed: components["schemas"]["SignedProof"];
        };
        /** @description A key. */
        KeyRow: {
            /** @description The account at the service, or empty. */
            account: string;
            /**
             * Format: int64
             * @description When it was registered, in Unix milliseconds.
             */
            created_unix_ms: number;
            /** @description Its id: `sub` of its tokens. */
            id: string;
            /** @description What the service calls it. */
            name: string;
            /**
             * Format: int64
             * @description When it was revoked, in Unix milliseconds.
             */
            revoked_unix_ms?: number | null;
            /**
             * Format: int64
             * @description When another key took its place last, in Unix milliseconds.
             */
            rotated_unix_ms?: number | null;
            /** @description What its tokens may be good for. */
            scopes: string;
        };
        /** @description A service's keys. */
        KeyRows: {
            /** @description In the order of their ids, 1,000 at most. */
            keys: components["schemas"]["KeyRow"][];
        };
        /** @description A service. */
        KeyServiceRow: {
            /** @description Its address. */
            audience: string;
            /**
             * Format: int64
             * @description When it was set up, in Unix milliseconds.
             */
            created_unix_ms: number;
            /** @description Its id. */
            id: string;
            /** @description What its operator calls it. */
            name: string;
            /** @description Everything that a token may be good for. */
            scopes: string;
            /**
             * Format: int64
             * @description How long a token lives, in seconds.
             */
            token_seconds: number;
        };
        /** @description Services of an account. */
        KeyServiceRows: {
            /** @description Oldest first. */
            services: components["schemas"]["KeyServiceRow"][];
        };
        /** @description The version of a vault's keys. */
        KeysVersion: {
            /**
             * Format: int64
             * @description What the next change is made on.
             */
            keys_version: number;
        };
        /** @description A token (RFC 6749, section 5.1; RFC 9449, section 5). */
        KeyToken: {
            /** @description A JWT that is bound to the device's key. */
            access_token: string;
            /**
             * Format: int64
             * @description How long it is good, in seconds.
             */
            expires_in: number;
            /** @description What it is good for. */
            scope: string;
            /** @description How it is shown. */
            token_type: string;
        };
        /** @description What a holder seals the data key to. */
        LeaseKey: {
            /**
             * Format: int32
             * @description Its present epoch.
             */
            epoch: number;
            /** @description This process's X25519 key, base64url; another after a restart. */
            key: string;
            /** @description Good for one answer within 5 minutes, base64url. */
            nonce: string;
            /** @description What the terms name as the origin. */
            origin: string;
            /** @description The vault, 32 hex digits. */
            vault: string;
        };
        /** @description A lease that is live. */
        LeaseRow: {
            /**
             * Format: int64
             * @description When it was granted, in Unix milliseconds.
             */
            granted_unix_ms: number;
            /** @description Its id. */
            id: string;
            /**
             * Format: int64
             * @description How long it lives yet, in milliseconds.
             */
            left_ms: number;
            /** @description `notes`, `connections` or both. */
            purposes: string[];
        };
        /** @description Leases of an account. */
        Leases: {
            /** @description Those that are live, the one that ends first before the others. */
            leases: components["schemas"]["LeaseRow"][];
        };
        /** @description A call that began or ended. */
        LiveEvent: {
            /** @description Who. */
            agent: string;
            /**
             * Format: int64
             * @description The entry at which it began.
             */
            began?: number | null;
            /** @description Through which connection. */
            connection: string;
            /**
             * Format: int64
             * @description The entry's place in the log. Of an end, the receipt's number.
             */
            number: number;
            /**
             * Format: int32
             * @description The upstream's status.
             */
            status?: number | null;
            /** @description When, RFC 3339. */
            time: string;
            /**
             * Format: int64
             * @description Milliseconds from request to receipt.
             */
            took_ms?: number | null;
            /** @description Did what. */
            tool: string;
            /** @description `began`, or how it ended. */
            what: string;
            /** @description The gate that refused, or the code of what failed. */
            why?: string | null;
        };
        /** @description What the log promises now. */
        LogHead: {
            /** @description A signed note (C2SP `tlog-checkpoint`). */
            checkpoint: string;
            /** @description The log's name. */
            origin: string;
            /** @description The tree's root, in hex. */
            root: string;
            /**
             * Format: int64
             * @description Entries that the checkpoint covers.
             */
            size: number;
            /** @description The keys that the operator had, where there were several, as the text of `operator.succession`. */
            succession?: string | null;
            /** @description The operator's key, as the text of `operator.pub`. */
            vkey: string;
        };
        /** @description The id of a share. */
        MadeShare: {
            /** @description In a link's path. */
            id: string;
        };
        /** @description The answer to a challenge, and the vault that the holder made. */
        NewAccount: {
            /** @description The challenge, of purpose `sign-up`. */
            challenge_id: string;
            /** @description What the way to sign in is called. */
            name?: string | null;
            /** @description As its method has it (specs/sessions.md). */
            proof: Record<string, never>;
            /** @description The vault, without items. */
            vault: components["schemas"]["NewVault"];
        };
        /** @description A commitment to register. */
        NewCommit: {
            /** @description An Ed25519 key of this registration alone, 64 hex digits. */
            author: string;
            /** @description `SHA-256(F("symbolon/authorship-commitment/v1", author, digest))`, 64 hex digits. */
            commitment: string;
            /** @description Of the commit, by the author's key, 128 hex digits. */
            signature: string;
        };
        /** @description One more way to sign in. */
        NewCredential: {
            /** @description The challenge, of purpose `add`. */
            challenge_id: string;
            /** @description What it is called; 64 characters at most. */
            name?: string | null;
            /** @description As its method has it (specs/sessions.md). */
            proof: Record<string, never>;
        };
        /** @description What is handed on. */
        NewDelegation: {
            /** @description Rules of asking the owner, beside those that hold already. */
            ask?: string[] | null;
            /** @description What it may use up at most of what there is. */
            budgets?: string[] | null;
            /**
             * Format: int64
             * @description Seconds between two calls of a scope.
             */
            cooldown_seconds?: number | null;
            /**
             * Format: int32
             * @description How many levels may come under it; 0 where absent.
             */
            depth?: number | null;
            /** @description How long, such as `15m`; as long as the grant that it comes of where absent, never longer. */
            for?: string | null;
            /** @description Time windows. */
            hours?: string[] | null;
            /** @description Parameter limits, beside those that hold already. */
            limits?: string[] | null;
            /** @description Make a key also where the sub-agent has one; that one ends. */
            new_key?: boolean | null;
            /** @description Scope patterns, all of them within one grant of the agent's. */
            scopes: string[];
            /** @description The sub-agent's name within the agent's own: `tests` for `claude.tests`. */
            to: string;
            /**
             * Format: int64
             * @description The grant that it comes of; the first that has all of it where absent.
             */
            under?: number | null;
        };
        /** @description A device that proves a key. */
        NewDevice: {
            /** @description The account there, where the service has them. */
            account?: string;
            /** @description The device's Ed25519 key, 32 bytes. */
            device: string;
            /** @description What its holder calls it, 1 to 80 characters. */
            name: string;
            /** @description The key's point, 32 bytes. */
            point: string;
            /** @description The service's id. */
            service: string;
            /** @description The proof, with purpose `enrol`. */
            signed: components["schemas"]["SignedProof"];
        };
        /** @description A grant to make. */
        NewGrant: {
            /** @description To whom. */
            agent: string;
            /** @description Which calls wait for a person; `destructive` where none is named. */
            ask?: string[] | null;
            /** @description Who may answer: `owner`, or `client` too. */
            ask_via?: string | null;
            /** @description What it may use up, such as `20 calls/hour`. */
            budgets?: string[] | null;
            /** @description On which connection; the one named as the service where absent. */
            connection?: string | null;
            /**
             * Format: int64
             * @description Seconds between two calls of a scope.
             */
            cooldown_seconds?: number | null;
            /**
             * Format: int32
             * @description How many levels of grants its agent may make under it.
             */
            delegable?: number | null;
            /**
             * Format: int64
             * @description Seconds that it lives; 0 for as long as the grant that it is under.
             */
            for_seconds?: number | null;
            /** @description When it is good, such as `mon-fri 09:00-17:00 +02:00`. */
            hours?: string[] | null;
            /** @description Parameter limits, such as `owner=acme`. */
            limits?: string[] | null;
            /** @description Scope patterns, such as `github.issues.read` or `github.issues.*`. */
            scopes: string[];
            /**
             * Format: int64
             * @description The grant that it is part of.
             */
            under?: number | null;
        };
        /** @description New keys of a vault: all of them. */
        NewKeys: {
            /**
             * Format: int64
             * @description The version that the change was made on.
             */
            base_version: number;
            /** @description Where the data key is a new one: a commit of no revisions, with its succession and head. */
            commit?: Record<string, never> | null;
            /** @description Earlier data keys, sealed under the present one; as it was where absent. */
            ring?: string | null;
            /** @description The whole list of wraps. */
            wraps: Record<string, never>[];
        };
        /** @description A service that is to rely on tokens. */
        NewKeyService: {
            /** @description Its address, such as `https://api.example`. */
            audience: string;
            /** @description What its operator calls it, 1 to 80 characters. */
            name: string;
            /** @description Everything that a token may be good for, with spaces between. */
            scopes: string;
            /**
             * Format: int64
             * @description How long a token lives, 300 to 900 seconds.
             */
            token_seconds: number;
        };
        /** @description A data key that is lent. */
        NewLease: {
            /**
             * Format: int32
             * @description 1 to 60; for connections alone to 720.
             */
            minutes: number;
            /** @description What was asked with. */
            nonce: string;
            /** @description `notes`, `connections` or both. */
            purposes: string[];
            /** @description The sealed data key, base64url. */
            sealed: string;
        };
        /** @description A key that the service issued. */
        NewPoint: {
            /** @description The account at the service, where it has them. */
            account?: string;
            /** @description What the service calls the key, 1 to 80 characters. */
            name: string;
            /** @description Its point, 32 bytes. */
            point: string;
            /** @description What its tokens may be good for; all of the service's scopes where none is named. */
            scopes?: string;
        };
        /** @description A digest to show. */
        NewReveal: {
            /** @description What was registered, 64 hex digits. */
            commitment: string;
            /** @description What it was to, 64 hex digits. */
            digest: string;
            /** @description Whether whoever asks for the digest is told the account's handle. */
            show_handle?: boolean;
            /** @description Of the reveal, by the owner's key, 128 hex digits. */
            signature: string;
        };
        /** @description A share to keep. */
        NewShare: {
            /**
             * Format: int64
             * @description From when on nobody sees it, in Unix milliseconds; needed for a link, 90 days ahead at most.
             */
            expires_unix_ms?: number | null;
            /** @description Its id, where it was sealed for one (specs/vault.md, "Shares"); a new one where absent. */
            id?: string | null;
            /** @description Which item it is a copy of. */
            item?: string | null;
            /** @description The sealed bytes, base64url. */
            sealed: string;
            /** @description The handle of the account that it is for; for who has the link where absent. */
            to?: string | null;
            /**
             * Format: int32
             * @description How often it may be seen.
             */
            views_max?: number | null;
        };
        /** @description A registration that comes to this account. */
        NewTransfer: {
            /** @description Of its acceptance, by the next owner's key, 128 hex digits. */
            acceptance: string;
            /** @description What was registered, 64 hex digits. */
            commitment: string;
            /** @description The next owner's key, of this account, 64 hex digits. */
            next: string;
            /** @description Whether whoever asks for the digest is told the account's handle. */
            show_handle?: boolean;
            /** @description Of the transfer, by the present owner's key, 128 hex digits. */
            signature: string;
        };
        /** @description A vault without items. */
        NewVault: {
            /** @description Its first head, signed; base64url. */
            head: string;
            /** @description The Ed25519 key that signs its heads; base64url. */
            head_key: string;
            /** @description 32 hex digits. */
            id: string;
            /** @description The X25519 key that shares are sealed to; base64url. */
            share_key: string;
            /** @description The wraps of its data key. */
            wraps: Record<string, never>[];
        };
        /** @description A passkey that is to open the home. */
        NewWay: {
            /** @description The passkey's id, base64url. */
            credential: string;
            /** @description What was asked with, base64url. */
            nonce: string;
            /** @description The key of the new way, sealed to this process, base64url. */
            sealed: string;
        };
        /** @description A no. */
        No: {
            /** @description Told to the agent; 256 bytes at most. */
            reason?: string | null;
        };
        /** @description What is wrong, in the words of RFC 6749, 7591, 7009 and 8707. */
        OauthError: {
            /** @description The word. */
            error: string;
            /** @description For who writes the client. */
            error_description: string;
        };
        /** @description An agent's own. */
        OwnApprovals: {
            /** @description Those that wait. */
            approvals: components["schemas"]["Approval"][];
        };
        /** @description The account that is the owner's. */
        OwnerAccount: {
            /** @description Its id, 32 hex digits; nothing where the owner has none. */
            account?: string | null;
        };
        /** @description A browser's session. */
        PageSession: {
            /** @description Until when it may change who opens the broker, RFC 3339. */
            confirmed_until: string;
            /** @description When it ends, RFC 3339. */
            expires: string;
            /** @description When it began, RFC 3339. */
            opened: string;
        };
        /** @description A call that waits for the owner. */
        PendingCall: {
            /**
             * Format: int64
             * @description The question's number.
             */
            approval: number;
            /** @description `approval_pending`. */
            code: string;
            /**
             * Format: int64
             * @description Seconds until the question ends.
             */
            expires_in_seconds: number;
            /** @description What is asked. */
            message: string;
            /** @description What a person does, and then the caller. */
            next: string;
            /** @description Sealed; send the same call again with it. */
            state: string;
        };
        /** @description How a caller comes again. */
        Poll: {
            /** @description The state of the answer 202 before. */
            state?: string | null;
            /**
             * Format: int64
             * @description Seconds to stay on the line, 100 at most; 0 where absent.
             */
            wait_seconds?: number | null;
        };
        /** @description What is wrong with a request. */
        Problem: {
            /** @description OAuth's word. */
            error: string;
            /** @description In words. */
            message: string;
        };
        /** @description A proof that was taken. */
        ProofAccepted: {
            /** @description Always so. */
            accepted: boolean;
            /** @description Whether the claims are by the demo issuer, as which everybody can sign: then nothing was shown of anybody. */
            demo: boolean;
            /** @description What is kept of it. */
            evidence: Record<string, never>;
        };
        /** @description What is asked of whom. */
        ProofAsking: {
            /** @description The service's own name for who is asked, 1 to 256 bytes. */
            account: string;
            /** @description For `returning/1`: the binding that was registered, 64 hex digits. */
            binding?: string | null;
            /** @description What is to be shown. */
            policy: Record<string, never>;
        };
        /** @description Answers to sessions, whoever began them. */
        ProofBatch: {
            /** @description 1 to 128 presentations: specs/proof.md, 16 KiB at most each. */
            presentations: Record<string, never>[];
        };
        /** @description What came of a batch. */
        ProofBatchJudged: {
            /** @description One for each presentation, in their order. */
            results: components["schemas"]["ProofJudged"][];
        };
        /** @description What came of one presentation of a batch. */
        ProofJudged: {
            /** @description Whether it was taken. */
            accepted: boolean;
            /** @description Of one that was taken: whether the claims are by the demo issuer. */
            demo?: boolean | null;
            error?: components["schemas"]["CallError"] | null;
            /** @description What is kept of one that was taken. */
            evidence?: Record<string, never> | null;
        };
        /** @description What is to be shown. */
        ProofQuestion: {
            /**
             * Format: int32
             * @description The least age in years, 0 to 150.
             */
            at_least_years: number;
            /** @description A group of nationalities, such as `EU/1`. */
            group: string;
        };
        /** @description Where a session stands. */
        ProofSession: {
            /** @description Who is asked. */
            account: string;
            /** @description The holder and their claims at this account, 64 hex digits: to register for `returning/1`. */
            binding?: string | null;
            /** @description What was shown. */
            evidence?: Record<string, never> | null;
            /** @description `open`, `shown` or `over`. */
            state: string;
        };
        /** @description What `/mcp` wants of a client (RFC 9728, section 2). */
        ProtectedResource: {
            /** @description Who gives them: this server. */
            authorization_servers: string[];
            /** @description Where a token stands. */
            bearer_methods_supported: string[];
            /** @description What tokens are for. */
            resource: string;
            /** @description For a person. */
            resource_name: string;
            /** @description What they may be for. */
            scopes_supported: string[];
        };
        /** @description One line of the list of receipts. */
        ReceiptRow: {
            /** @description Who. */
            agent: string;
            /** @description Through which connection. */
            connection: string;
            /**
             * Format: int64
             * @description Its number in the log.
             */
            number: number;
            /** @description `allowed`, `refused`, `failed` or `open`. */
            outcome: string;
            /** @description The request's digest, in hex. */
            request: string;
            /**
             * Format: int32
             * @description The upstream's status.
             */
            status?: number | null;
            /** @description When it was completed, RFC 3339. */
            time: string;
            /**
             * Format: int64
             * @description From its beginning to its end, in milliseconds; none for an intent without a receipt.
             */
            took_ms?: number | null;
            /** @description Did what. */
            tool: string;
        };
        /** @description Receipts, newest first. */
        Receipts: {
            /** @description The receipts. */
            receipts: components["schemas"]["ReceiptRow"][];
        };
        /** @description A token to redeem. */
        Redeem: {
            /** @description The token, as it was given. */
            token: string;
        };
        /** @description A client as it is registered (RFC 7591, section 3.2.1). */
        Registered: {
            /** @description Its id. */
            client_id: string;
            /**
             * Format: int64
             * @description When, in Unix seconds.
             */
            client_id_issued_at: number;
            /** @description What it said that it is called. */
            client_name: string;
            /** @description What it gets, whatever it asked for. */
            grant_types: string[];
            /** @description Where its answers may go. */
            redirect_uris: string[];
            /** @description Codes. */
            response_types: string[];
            /** @description It has no secret. */
            token_endpoint_auth_method: string;
        };
        /** @description An approval that stands for a while. */
        Remembered: {
            /** @description `shape` or `any`. */
            covers: string;
            /**
             * Format: int64
             * @description In which grant.
             */
            grant: number;
            /**
             * Format: int64
             * @description Seconds that are left.
             */
            left_seconds: number;
            /**
             * Format: int64
             * @description The approval that it came of.
             */
            number: number;
            /** @description Which rule does not ask meanwhile. */
            rule: string;
            /** @description For which operation. */
            tool: string;
        };
        /** @description RFC 9728. */
        ResourceMetadata: {
            /** @description None: keys are made by the owner. */
            authorization_servers: string[];
            /** @description `header`. */
            bearer_methods_supported: string[];
            /** @description The resource. */
            resource: string;
            /** @description A name to show. */
            resource_name: string;
        };
        /** @description What stands in the clear of a revision. */
        RevisionRow: {
            /** @description SHA-256 of its bytes, hex. */
            digest: string;
            /**
             * Format: int64
             * @description Its number.
             */
            number: number;
            /**
             * Format: int64
             * @description How many those are.
             */
            size_bytes: number;
            /** @description `live`, `trashed` or `erased`. */
            state: string;
            /**
             * Format: int64
             * @description When it was made, in Unix milliseconds.
             */
            updated_unix_ms: number;
        };
        /** @description Revisions of an item. */
        Revisions: {
            /** @description Those that are kept, newest first. */
            revisions: components["schemas"]["RevisionRow"][];
        };
        /** @description A revision as it was sealed, and the commit that it came with. */
        RevisionView: {
            /**
             * Format: int64
             * @description The commit's counter.
             */
            counter: number;
            /** @description The sealed revision, base64url. */
            revision: string;
        };
        /** @description A grant that was taken back, and those under it that fell. */
        Revoked: components["schemas"]["Grant"] & {
            /** @description Numbers of the grants under it that were active and fell with it. */
            fell: number[];
        };
        /** @description A scope and what it lets an agent do. */
        Scope: {
            /** @description The farthest that it goes: `read`, `write` or `destructive`. */
            effect: string;
            /** @description Its name. */
            scope: string;
            /** @description Titles of its operations. */
            titles: string[];
        };
        /** @description A right, as the page shows it. */
        ScopeView: {
            /** @description What it lets an assistant do. */
            says: string;
            /** @description Its word. */
            scope: string;
        };
        /** @description What connecting a service takes, and what can be granted on it. */
        Service: {
            /** @description How the credential goes out. */
            auth: string;
            /** @description Where it is. */
            base_url: string;
            /** @description Its public documentation. */
            docs: string;
            /** @description Its id. */
            id: string;
            /** @description Its name for people. */
            name: string;
            /**
             * Format: int64
             * @description How many operations it has.
             */
            operations: number;
            /** @description Its scopes. */
            scopes: components["schemas"]["Scope"][];
            /** @description Whether a connection may name a base URL of its own. */
            self_hosted: boolean;
            /** @description Whether a user name stands beside the credential. */
            user: boolean;
            /** @description Variables of the base URL. */
            variables: string[];
            /** @description Whether there is a read-only call that shows that a credential works. */
            verifies: boolean;
        };
        /** @description A service in a list. */
        ServiceRow: {
            /** @description How the credential goes out, in a word. */
            auth: string;
            /** @description Where it is, perhaps with variables in braces. */
            base_url: string;
            /** @description Its id, the first part of its tools' names. */
            id: string;
            /** @description Its name for people. */
            name: string;
            /**
             * Format: int64
             * @description How many operations it has.
             */
            operations: number;
        };
        /** @description The catalogue. */
        Services: {
            /** @description The services, by name. */
            services: components["schemas"]["ServiceRow"][];
        };
        /** @description A service with its secret, which is shown once. */
        ServiceWithSecret: {
            /** @description The service's id. */
            id: string;
            /** @description What it shows to register keys and to introspect tokens. */
            secret: string;
        };
        /** @description One session of the account. */
        SessionRow: {
            /**
             * Format: int64
             * @description When, in Unix milliseconds.
             */
            created_unix_ms: number;
            /** @description Whether it is the one that asks. */
            current: boolean;
            /**
             * Format: int64
             * @description When it ends if it is not used, in Unix milliseconds.
             */
            expires_unix_ms: number;
            /** @description Its id. */
            id: string;
            /** @description How its holder signed in. */
            method: string;
            /**
             * Format: int64
             * @description When it was last seen, in Unix milliseconds, to the minute.
             */
            seen_unix_ms: number;
            /** @description What the client called itself. */
            user_agent: string;
        };
        /** @description Sessions of the account. */
        SessionRows: {
            /** @description Those that live, newest first. */
            sessions: components["schemas"]["SessionRow"][];
        };
        /** @description A session, for its holder. */
        SessionView: {
            /** @description The account. */
            account: string;
            /**
             * Format: int64
             * @description Until when dangerous acts are allowed, in Unix milliseconds.
             */
            confirmed_until_unix_ms?: number | null;
            /** @description Sent in `X-Symbolon-CSRF` with everything that changes something. */
            csrf: string;
            /**
             * Format: int64
             * @description When it ends if it is not used, in Unix milliseconds.
             */
            expires_unix_ms: number;
            /** @description Its id in the list of sessions. */
            id: string;
            /** @description How its holder signed in. */
            method: string;
        };
        /** @description A share's sealed bytes. */
        SharedBytes: {
            /** @description Base64url. */
            sealed: string;
            /**
             * Format: int32
             * @description How often it may be seen after this, where that is bounded.
             */
            views_left?: number | null;
        };
        /** @description What a share for an account is sealed to. */
        ShareKey: {
            /** @description X25519, base64url. People compare its fingerprint. */
            share_key: string;
        };
        /** @description A share, without its bytes. */
        ShareRow: {
            /**
             * Format: int64
             * @description When it was made, in Unix milliseconds.
             */
            created_unix_ms: number;
            /**
             * Format: int64
             * @description From when on nobody sees it, in Unix milliseconds.
             */
            expires_unix_ms?: number | null;
            /** @description Its id. */
            id: string;
            /** @description Which item it is a copy of, for its owner. */
            item?: string | null;
            /** @description Whether it is for who has the link. */
            link: boolean;
            /**
             * Format: int64
             * @description When it was taken back, in Unix milliseconds.
             */
            revoked_unix_ms?: number | null;
            /**
             * Format: int32
             * @description How often it was.
             */
            views: number;
            /**
             * Format: int32
             * @description How often it may be seen.
             */
            views_max?: number | null;
        };
        /** @description Shares of an account. */
        Shares: {
            /** @description Those that it made, newest first. */
            made: components["schemas"]["ShareRow"][];
            /** @description Those that are open to it, newest first. */
            received: components["schemas"]["ShareRow"][];
        };
        /** @description A proof with its nonce. */
        SignedProof: {
            /** @description Whether the statement has the exporter of this TLS connection (RFC 9266). */
            channel?: boolean;
            /** @description From `POST /api/keys/challenge`. */
            nonce: string;
            /** @description Commitment and response, 64 bytes. */
            proof: string;
            /** @description By the device, 64 bytes. */
            signature: string;
        };
        /** @description How the broker is. */
        Status: {
            /** @description How long credentials were in the clear, in nanoseconds. */
            clear_ns: components["schemas"]["Clear"];
            /**
             * Format: int64
             * @description How many connections.
             */
            connections: number;
            /** @description `group` or `relaxed`. */
            durability: string;
            /** @description The machine binding, in a phrase. */
            fingerprint: string;
            /**
             * Format: int64
             * @description How many grants that are active.
             */
            grants: number;
            /** @description The home's folder. */
            home: string;
            /**
             * Format: int64
             * @description Entries in the log.
             */
            log_entries: number;
            /** @description Where the log is kept, in a phrase. */
            log_place: string;
            /** @description Where secrets live, in a phrase. */
            memory: string;
            /** @description Ways to unlock. */
            methods: string[];
            /**
             * Format: int64
             * @description Intents whose receipt never came.
             */
            open_intents: number;
            /**
             * Format: int32
             * @description The broker's process.
             */
            pid: number;
            /**
             * Format: int64
             * @description Open sessions of agents.
             */
            sessions: number;
            /** @description Grants, limits and budgets refuse nothing. */
            shadow: boolean;
            /** @description Whether the vault is open. */
            unlocked: boolean;
            /**
             * Format: int64
             * @description Milliseconds since the broker started.
             */
            uptime_ms: number;
            /** @description The program's version. */
            version: string;
        };
        /** @description What a page is asked: the key of one way, sealed to this process. */
        TapAsked: {
            /**
             * Format: int64
             * @description When the question ends.
             */
            expires_unix_ms: number;
            /** @description The process's X25519 key, base64url; another after a restart. */
            key: string;
            /** @description Good for one answer within two minutes, base64url. */
            nonce: string;
            /** @description The passkeys that open the home. */
            passkeys: components["schemas"]["TapPasskey"][];
            /** @description What the passkey's PRF is asked with, base64url. */
            prf: string;
            /** @description Of the way to be made, base64url. */
            salt?: string | null;
            /** @description The home's vault, 32 hex digits. */
            vault: string;
        };
        /** @description A passkey that opens the home. */
        TapPasskey: {
            /** @description Its id, base64url. */
            credential: string;
            /** @description Of its way, base64url. */
            salt: string;
            /** @description Its way. */
            wrap: string;
        };
        /** @description A single-use right to one exact request. */
        TokenReply: {
            /**
             * Format: int64
             * @description Seconds until it is worthless.
             */
            expires_in_seconds: number;
            /** @description Opaque; it means nothing outside this agent's session. */
            token: string;
            /** @description One sentence that says what redeeming it will do. */
            will: string;
        };
        /** @description Tokens (RFC 6749, section 5.1). */
        Tokens: {
            /** @description For calls. */
            access_token: string;
            /**
             * Format: int64
             * @description How long it is good, in seconds.
             */
            expires_in: number;
            /** @description For the next tokens, once. */
            refresh_token: string;
            /** @description What the access token may do. */
            scope: string;
            /** @description How it is shown. */
            token_type: string;
        };
        /** @description A tool. */
        Tool: {
            /** @description A sentence or two. */
            description: string;
            /** @description `read`, `write` or `destructive`. */
            effect: string;
            /** @description Whether this agent may call it now. */
            granted: boolean;
            /** @description JSON Schema of the parameters. */
            input_schema?: Record<string, never> | null;
            /** @description Full name, at most 64 characters. */
            name: string;
            /** @description JSON Schema of the result. */
            output_schema?: Record<string, never> | null;
            /** @description The scope that must be granted. */
            scope: string;
            /** @description A few words. */
            title: string;
            /** @description Its parameters in a line: `owner: string, repo: string, labels?: array`. */
            usage: string;
        };
        /** @description Tools. */
        Tools: {
            /** @description The tools. */
            tools: components["schemas"]["Tool"][];
        };
        /** @description A connection that could be used. */
        Tried: {
            /** @description As it would be. */
            connection: components["schemas"]["Connection"];
            /** @description What an item of a vault says of it beside name, service and base URL. */
            scheme: string;
        };
        /** @description What opens a home that is locked. */
        UnlockTap: {
            /** @description What was asked with, base64url. */
            nonce: string;
            /** @description The key of that way, sealed to this process, base64url. */
            sealed: string;
            /** @description The passkey's way. */
            wrap: string;
        };
        /** @description A vault as the server has it. */
        VaultView: {
            /**
             * Format: int64
             * @description How many commits led to its head.
             */
            counter: number;
            /**
             * Format: int32
             * @description Which data key is the present one.
             */
            epoch: number;
            /** @description The signed head, base64url. */
            head: string;
            /** @description The key that signs its heads, base64url. */
            head_key: string;
            /** @description Its id, 32 hex digits. */
            id: string;
            /**
             * Format: int64
             * @description The version of the keys: what a change of them is made on.
             */
            keys_version: number;
            /**
             * Format: int64
             * @description Bytes that they may have.
             */
            quota_bytes: number;
            /** @description Earlier data keys, sealed under the present one; base64url. */
            ring: string;
            /** @description The key that shares are sealed to, base64url. */
            share_key: string;
            /**
             * Format: int64
             * @description Bytes that revisions and blobs have.
             */
            used_bytes: number;
            /** @description The wraps of the data key. */
            wraps: Record<string, never>[];
        };
        /** @description What one live call with a connection's credential showed. */
        Verified: {
            /** @description Where it leads. */
            base_url: string;
            /** @description In a sentence. */
            detail: string;
            /** @description When the credential ends, in the service's words. */
            ends?: string | null;
            /** @description When an agent's call through it last ended, RFC 3339. */
            last_used?: string | null;
            /** @description The connection's name. */
            name: string;
            /** @description The next step. */
            next?: string | null;
            /** @description `works`, `refused`, `unreachable`, `certificate`, `wrong_host`, `failed`, `damaged` or `unchecked`. */
            outcome: string;
            /**
             * Format: int64
             * @description The check call's receipt.
             */
            receipt?: number | null;
            /** @description Why it is not renewed any more. */
            renewal?: string | null;
            /** @description What it may do, in the service's words. */
            scopes?: string[] | null;
            /** @description Its service. */
            service: string;
            /**
             * Format: int32
             * @description The service's status.
             */
            status?: number | null;
            /** @description When the access token that the broker got ends, RFC 3339. */
            token_ends?: string | null;
            /** @description Those of them that go far, and that no grant uses. */
            too_wide: string[];
            /** @description Who the credential is, where the answer says so. */
            who?: string | null;
        };
        /** @description A way to open the home. */
        Way: {
            /** @description When it was made, RFC 3339. */
            created: string;
            /** @description Its id. */
            id: string;
            /** @description `passphrase`, `device`, `tpm`, `recovery` or `passkey`. */
            method: string;
        };
        /** @description The ways to open the home. */
        Ways: {
            ways: components["schemas"]["Way"][];
        };
        /** @description A yes, and for how long. */
        Yes: {
            /** @description Whatever the arguments. */
            any_arguments?: boolean | null;
            /**
             * Format: int64
             * @description Seconds for which the same rule does not ask again for the same operation and shape of arguments.
             */
            remember_seconds?: number | null;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
