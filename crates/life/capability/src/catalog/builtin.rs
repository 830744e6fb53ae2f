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
    "airtable",
    "anthropic",
    "asana",
    "aws_s3",
    "bitbucket",
    "box",
    "buildkite",
    "circleci",
    "clickup",
    "cloudflare",
    "confluence",
    "digitalocean",
    "discord",
    "elevenlabs",
    "figma",
    "fly",
    "git",
    "github",
    "gitlab",
    "gmail",
    "google_calendar",
    "google_drive",
    "heroku",
    "hetzner",
    "hubspot",
    "intercom",
    "jira",
    "linear",
    "mailchimp",
    "mailgun",
    "microsoft_graph",
    "monday",
    "netlify",
    "notion",
    "npm",
    "openai",
    "openrouter",
    "pagerduty",
    "paypal",
    "postmark",
    "replicate",
    "resend",
    "salesforce",
    "sendgrid",
    "sentry",
    "shopify",
    "slack",
    "square",
    "stripe",
    "supabase",
    "tailscale",
    "todoist",
    "twilio",
    "vercel",
    "zendesk",
];
