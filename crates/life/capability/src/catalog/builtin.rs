//! The files of `catalog/`, compiled in. A test checks that none is forgotten.

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"), "/../../../catalog/", $name, ".toml"
        )))),*]
    };
}

/// Name and text of each file.
pub(super) const FILES: &[(&str, &str)] = files![
    "anthropic",
    "aws_s3",
    "bitbucket",
    "cloudflare",
    "confluence",
    "git",
    "github",
    "gitlab",
    "jira",
    "linear",
    "notion",
    "npm",
    "openai",
    "sendgrid",
    "slack",
    "stripe",
    "supabase",
];
