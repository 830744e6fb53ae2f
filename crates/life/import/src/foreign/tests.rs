use std::sync::LazyLock;

use proptest::prelude::*;
use symbolon_capability::catalog::Catalog;
use symbolon_secret::Secret;

use super::*;

fn secret(bytes: &[u8]) -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(bytes.len(), |page| page.copy_from_slice(bytes))
}

fn read_as(origin: Origin, bytes: &[u8]) -> Result<Findings, ForeignError> {
    let (page, passphrase) = (secret(bytes), secret(b"correct horse battery"));
    let source = Source { name: "file", mode: 0o644, bytes: &page };
    read(origin, &source, &CATALOG, Some(&passphrase))
}

static CATALOG: LazyLock<Catalog> =
    LazyLock::new(|| Catalog::builtin().expect("the built-in catalogue"));

fn found(origin: Origin, bytes: &[u8]) -> Findings {
    read_as(origin, bytes).unwrap_or_else(|e| panic!("{e}"))
}

/// The draft of a service, if its credential is this one.
fn has(found: &Findings, service: &str, credential: &str) -> bool {
    let is = |d: &&Draft| d.service == service && d.credential.ct_eq_bytes(credential.as_bytes());
    found.drafts.iter().any(|d| is(&d))
}

fn codes(found: &Findings) -> Vec<&str> {
    found.risks.iter().map(|risk| risk.code).collect()
}

macro_rules! vector {
    ($name:literal) => {
        include_bytes!(concat!("../../../../../vectors/legacy-0n/", $name))
    };
}

#[test]
fn connections_as_0nmcp_writes_them() {
    let stripe = found(Origin::ZeroN, vector!("connections/stripe.0n"));
    assert!(has(&stripe, "stripe", "sk_test_legacy_stripe_0001"), "{stripe:?}");
    assert_eq!(codes(&stripe), ["plaintext_open"]);
    let jira = found(Origin::ZeroN, vector!("connections/jira.0n"));
    assert!(has(&jira, "jira", "jira-legacy-token-0001"), "{jira:?}");
    assert_eq!(jira.drafts[0].user.as_deref(), Some("a@b.example"));
    assert_eq!(jira.drafts[0].variables["site"], "acme");
}

#[test]
fn a_sealed_connection_opens_with_its_passphrase_alone() {
    let bytes = vector!("connections/github.0n");
    let sealed = found(Origin::ZeroN, bytes);
    assert!(has(&sealed, "github", "ghp_legacy_sealed_0001"));
    assert_eq!(codes(&sealed), ["weak_derivation", "binding_in_the_clear"]);
    let page = secret(bytes);
    let source = Source { name: "file", mode: 0o600, bytes: &page };
    let none = read(Origin::ZeroN, &source, &CATALOG, None);
    assert!(matches!(none, Err(ForeignError::Sealed)));
    let other = read(Origin::ZeroN, &source, &CATALOG, Some(&secret(b"another")));
    assert!(matches!(other, Err(ForeignError::Cipher(_))));
}

#[test]
fn a_deed_is_read_and_an_escrow_refused() {
    let deed = found(Origin::ZeroN, vector!("deed.0nv"));
    assert!(has(&deed, "slack", "xoxb-legacy-deed-0001"), "{deed:?}");
    assert!(has(&deed, "openai", "sk-legacy-deed-openai-0001"));
    assert_eq!(deed.drafts.len(), 2);
    assert_eq!(codes(&deed), ["fresh_signer", "weak_derivation"]);
    let left: Vec<_> = deed.left_out.iter().map(|r| r.at.as_str()).collect();
    assert_eq!(left, ["file, credentials", "file, env_vars: OTHER", "file, audit_trail"]);
    let workflows: Vec<_> = deed.workflows.iter().map(|w| (w.file.as_str(), &*w.name)).collect();
    assert_eq!(workflows, [("file, workflows", "file")]);
    let escrow = read_as(Origin::ZeroN, vector!("escrow.0nv"));
    assert!(matches!(escrow, Err(ForeignError::Escrow)), "{escrow:?}");
}

#[test]
fn every_bit_of_a_container_counts() {
    let whole = vector!("deed.0nv");
    assert!(inspect_container(whole).is_ok());
    for bit in 0..whole.len() * 8 {
        let mut changed = whole.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(inspect_container(&changed).is_err(), "bit {bit}");
    }
    for len in 0..whole.len() {
        assert!(inspect_container(&whole[..len]).is_err(), "{len} bytes");
    }
}

#[test]
fn the_other_dialects() {
    let signed =
        br#"{"schema_version": "1.0.0", "signature": "00", "manifest": {"type": "connection",
        "name": "x", "version": "1.0.0"}, "connection": {"service": "notion",
        "auth": {"type": "api_key", "credentials": {"api_key": "ntn_000000001"}}}}"#;
    let signed = found(Origin::ZeroN, signed);
    assert!(has(&signed, "notion", "ntn_000000001"));
    assert_eq!(codes(&signed), ["own_signature", "plaintext_open"]);
    let environment = br#"{"manifest": {"type": "environment"}, "environment":
        {"GITLAB_TOKEN": {"value": "glpat-000000001", "sensitive": true}}}"#;
    assert!(has(&found(Origin::ZeroN, environment), "gitlab", "glpat-000000001"));
    let yaml = found(Origin::ZeroN, b"service: stripe\nscopes:\n  - payments.read\n");
    assert!(yaml.drafts.is_empty());
    assert!(yaml.left_out[0].why.contains("1 scopes"), "{yaml:?}");
    let yaml = b"service: linear\nauth:\n  credentials:\n    api_key: lin_000000001\n";
    assert!(has(&found(Origin::ZeroN, yaml), "linear", "lin_000000001"));
    let variable = br#"{"$0n": {"type": "connection"}, "service": "stripe",
        "auth": {"credentials": {"api_key": "{{env.STRIPE_SECRET_KEY}}"}}}"#;
    assert!(found(Origin::ZeroN, variable).left_out[0].why.contains("names a variable"));
}

#[test]
fn a_file_does_not_choose_where_a_credential_goes() {
    let file = br#"{"$0n": {"type": "connection"}, "service": "stripe", "auth": {"credentials":
        {"apiKey": "sk_000000001"}}, "options": {"base_url": "https://evil.example"}}"#;
    let stripe = found(Origin::ZeroN, file);
    assert_eq!(stripe.drafts[0].base_url, None);
    assert_eq!(codes(&stripe), ["other_host", "plaintext_open"]);
    let own = br#"{"$0n": {"type": "connection"}, "service": "gitlab", "auth": {"credentials":
        {"token": "glpat-000000001"}}, "options": {"base_url": "https://git.example"}}"#;
    let own = found(Origin::ZeroN, own);
    assert_eq!(own.drafts[0].base_url.as_deref(), Some("https://git.example"));
}

#[test]
fn a_switch_file_is_taken_apart() {
    let switch = br#"{"$0n": {"type": "switch"}, "connections": {
        "a": {"service": "resend", "auth": {"credentials": {"apiKey": "re_000000001"}}},
        "b": {"$ref": "connections/b.0n"}}, "mcp_servers": {"s": {"type": "stdio", "command": "x",
        "env": {"SENDGRID_API_KEY": "SG.000000001"}}}, "commands": {"go": {"type": "pipeline"}}}"#;
    let switch = found(Origin::ZeroN, switch);
    assert!(
        has(&switch, "resend", "re_000000001") && has(&switch, "sendgrid", "SG.000000001"),
        "{switch:?}"
    );
    let left: Vec<_> = switch.left_out.iter().map(|r| r.at.as_str()).collect();
    assert_eq!(left, ["file, connection b", "file, server s"]);
    let [go] = switch.workflows.as_slice() else { panic!("{:?}", switch.workflows) };
    assert_eq!((&*go.name, go.is_command, go.node.line), ("go", true, 4));
    assert!(!format!("{:?}", switch.workflows).contains("000000001"), "nothing from beside it");
}

#[test]
fn variables_by_the_catalogues_facts() {
    let file = b"GITHUB_TOKEN=ghp_000000001\nTWILIO_ACCOUNT_SID=AC000000001\nTWILIO_AUTH_TOKEN='tw 000000001'\n\
        DATABASE_URL=postgres://u:p@h/d\nAWS_ACCESS_KEY_ID=AKIA000000001\nAWS_SECRET_ACCESS_KEY=aws000000001\n\
        AWS_REGION=eu-west-1\nGH_TOKEN=ghp_000000001\nSLACK_TOKEN=xoxp-000001\nSLACK_BOT_TOKEN=xoxb-000002\n";
    let mut env = found(Origin::Env, file);
    settle(&mut env);
    let twilio = env.drafts.iter().find(|d| d.service == "twilio").expect("twilio");
    assert_eq!(twilio.user.as_deref(), Some("AC000000001"));
    assert!(
        has(&env, "twilio", "tw 000000001") && has(&env, "aws_s3", "AKIA000000001:aws000000001")
    );
    let aws = env.drafts.iter().find(|d| d.service == "aws_s3").expect("aws");
    assert_eq!(aws.variables["region"], "eu-west-1");
    let names: Vec<_> = env.drafts.iter().map(|d| d.name.as_str()).collect();
    assert!(names.contains(&"slack") && names.contains(&"slack-2"), "{names:?}");
    assert_eq!(names.iter().filter(|n| n.starts_with("github")).count(), 1);
    let left: Vec<_> = env.left_out.iter().map(|r| r.at.as_str()).collect();
    assert!(left.contains(&"file, line 4: DATABASE_URL"), "{left:?}");
    assert!(codes(&env).contains(&"duplicate"));
}

/// Made by `vectors/bitwarden/make.py`.
const BITWARDEN: [(&str, &[u8]); 2] = [
    ("PBKDF2", include_bytes!("../../../../../vectors/bitwarden/pbkdf2.json")),
    ("Argon2id", include_bytes!("../../../../../vectors/bitwarden/argon2id.json")),
];

/// Few iterations, to be opened often.
const FEW: &str = include_str!("../../../../../vectors/bitwarden/few.json");

#[test]
fn a_sealed_export_of_bitwarden_opens_with_its_passphrase_alone() {
    for (name, file) in BITWARDEN {
        let opened = found(Origin::Bitwarden, file);
        assert!(has(&opened, "github", "ghp_bw_sealed_0001"), "{name}: {opened:?}");
        assert_eq!((opened.drafts.len(), codes(&opened).len()), (1, 0), "{name}: {opened:?}");
    }
    for file in [FEW.as_bytes(), BITWARDEN[1].1] {
        let page = secret(file);
        let source = Source { name: "file", mode: 0o644, bytes: &page };
        let none = read(Origin::Bitwarden, &source, &CATALOG, None);
        assert!(matches!(none, Err(ForeignError::Sealed)), "{none:?}");
        let other = read(Origin::Bitwarden, &source, &CATALOG, Some(&secret(b"another")));
        assert!(matches!(other, Err(ForeignError::Cipher(_))), "{other:?}");
    }
    let text = std::str::from_utf8(BITWARDEN[0].1).expect("text");
    let refused = |from: &str, to: &str| {
        let changed = text.replace(from, to);
        assert_ne!(changed, text, "{from}");
        read_as(Origin::Bitwarden, changed.as_bytes()).expect_err("refused").to_string()
    };
    let account = refused("\"passwordProtected\": true", "\"passwordProtected\": false");
    assert!(account.contains("account alone"), "{account}");
    for (from, to) in [
        ("600000", "4000000000"),
        ("600000", "2000001"),
        ("600000", "0"),
        ("\"kdfType\": 0", "\"kdfType\": 2"),
        ("\"kdfType\": 0", "\"kdfType\": 1"),
        ("\"data\": \"2.", "\"data\": \"0."),
        ("\"data\": \"2.", "\"data\": \"2.AA|"),
    ] {
        refused(from, to);
    }
}

#[test]
fn no_changed_byte_of_a_sealed_export_goes_through() {
    let text = FEW;
    assert!(has(&found(Origin::Bitwarden, text.as_bytes()), "github", "ghp_bw_sealed_0001"));
    assert_eq!(codes(&found(Origin::Bitwarden, text.as_bytes())), ["weak_derivation"]);
    let is_value = |at: usize| {
        let line = text[..at].rfind('\n').map_or(0, |n| n + 1);
        ["\"data\"", "\"encKey", "\"salt\""]
            .iter()
            .any(|name| text[line..].trim_start().starts_with(name))
            && text[line..at].contains("\": \"")
    };
    let mut tried = 0;
    for at in
        (0..text.len()).filter(|at| is_value(*at) && text.as_bytes()[*at].is_ascii_alphanumeric())
    {
        let mut changed = text.as_bytes().to_vec();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        tried += 1;
        let opened = read_as(Origin::Bitwarden, &changed);
        assert!(opened.is_err(), "byte {at}");
    }
    assert!(tried > 500, "{tried}");
}

#[test]
fn a_password_of_a_web_login_is_not_taken() {
    let export = br#"{"encrypted": false, "items": [
        {"type": 1, "name": "GitHub", "login": {"username": "me", "password": "hunter2",
            "uris": [{"uri": "https://github.com/login"}]}},
        {"type": 1, "name": "github token", "login": {"password": "ghp_000000002", "uris": null}},
        {"type": 1, "name": "Stripe", "login": {"uris": [{"uri": "https://dashboard.stripe.com"}]},
            "fields": [{"name": "Secret key", "value": "sk_000000002", "type": 1}]},
        {"type": 2, "name": "misc", "fields": [{"name": "LINEAR_API_KEY", "value": "lin_000000002"}]},
        {"type": 1, "name": "Bank", "login": {"password": "p"}}]}"#;
    let found = found(Origin::Bitwarden, export);
    assert!(
        has(&found, "github", "ghp_000000002") && has(&found, "stripe", "sk_000000002"),
        "{found:?}"
    );
    assert!(has(&found, "linear", "lin_000000002"));
    assert_eq!((found.drafts.len(), found.left_out.len()), (3, 2));
    assert!(found.left_out[0].why.contains("make a token"));
    let sealed = read_as(Origin::Bitwarden, br#"{"encrypted": true}"#);
    assert!(matches!(sealed, Err(ForeignError::Format(_))));
}

fn pux(data: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, bytes) in [("export.attributes", &b"{}"[..]), ("export.data", data)] {
        zip.start_file(name, options).expect("a file");
        zip.write_all(bytes).expect("room");
    }
    zip.finish().expect("a zip").into_inner()
}

#[test]
fn both_exports_of_1password() {
    let data = br#"{"accounts": [{"vaults": [{"items": [
        {"categoryUuid": "112", "overview": {"title": "OpenAI"}, "details": {"loginFields": [],
            "sections": [{"title": "", "fields": [{"title": "credential",
            "value": {"concealed": "sk-000000003"}}]}]}},
        {"categoryUuid": "001", "overview": {"title": "Notion", "url": "https://www.notion.so"},
            "details": {"loginFields": [{"designation": "password", "value": "hunter2"}]}}]}]}]}"#;
    let file = pux(data);
    let one = found(Origin::OnePassword, &file);
    assert!(has(&one, "openai", "sk-000000003"), "{one:?}");
    assert_eq!((one.drafts.len(), one.left_out.len()), (1, 1));
    let csv = b"Title,Url,Username,Password\r\n\"Vercel, token\",https://vercel.com,me,\"v\"\"000000003\"\r\n\
        Gone,https://gone.example,me,hunter2\r\n";
    let csv = found(Origin::OnePassword, csv);
    assert!(has(&csv, "vercel", "v\"000000003"), "{csv:?}");
    assert_eq!(csv.left_out.len(), 1);
    let bomb = pux(&vec![b' '; FILE_BYTES_MAX + 1]);
    assert!(bomb.len() < 10_000);
    assert!(matches!(read_as(Origin::OnePassword, &bomb), Err(ForeignError::Format(_))));
}

const ORIGINS: [Origin; 4] = [Origin::ZeroN, Origin::Env, Origin::Bitwarden, Origin::OnePassword];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), which in 0..4_usize) {
        drop(read_as(ORIGINS[which], &bytes));
    }

    #[test]
    fn nothing_panics_near_a_file(at in 0..400_usize, byte: u8, which in 0..4_usize) {
        let files: [&[u8]; 4] = [
            vector!("connections/stripe.0n"),
            b"A=1\nexport GITHUB_TOKEN=\"x\\ny\" # z\nB='\n'\n",
            br#"{"items": [{"name": "a", "login": {"password": "\u00e4", "uris": [{"uri": "x.y"}]}}]}"#,
            b"Title,Url,Username,Password\n\"a\",\"b\"\"\",c,d\n",
        ];
        let mut changed = files[which].to_vec();
        let at = at % changed.len();
        changed[at] = byte;
        drop(read_as(ORIGINS[which], &changed));
    }
}
