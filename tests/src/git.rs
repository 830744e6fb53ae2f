//! git over HTTPS as its authors wrote it: `git http-backend` behind lighttpd, with TLS in front.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::service::{Service, free_port};
use crate::upstream::Upstream;

/// A git server on loopback with one repository, `acme/anvil`, that only this token opens.
#[derive(Debug)]
pub struct GitServer {
    _plain: Service,
    folder: TempDir,
    /// What a connection leads to.
    pub tls: Upstream,
    /// Where it answers without TLS, for the test's own questions.
    pub plain_port: u16,
}

impl GitServer {
    /// Basic authentication with the user `x-access-token`.
    pub fn start(token: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        let repository = at("root/acme/anvil.git");
        std::fs::create_dir_all(&repository).expect("the folder takes folders");
        git(&["init", "--quiet", "--bare", "--initial-branch=main"], &repository);
        git(&["config", "http.receivepack", "true"], &repository);
        std::fs::write(at("users"), format!("x-access-token:{token}\n")).expect("a file");
        let backend = git_says(&["--exec-path"]);
        let plain_port = free_port();
        let config = CONFIG
            .replace("@PORT@", &plain_port.to_string())
            .replace("@BACKEND@", &format!("{backend}/git-http-backend"))
            .replace("@FOLDER@", folder.path().to_str().expect("a plain path"));
        std::fs::write(at("lighttpd.conf"), config).expect("a file");
        let mut command = Command::new(lighttpd());
        command.arg("-D").arg("-f").arg(at("lighttpd.conf")).stdin(Stdio::null());
        let mut plain = Service::start("lighttpd", &mut command);
        plain.wait_for_port(plain_port);
        let tls = Upstream::tls_for(plain_port);
        Self { _plain: plain, folder, tls, plain_port }
    }

    /// What the repository's branch points to.
    pub fn head(&self) -> Option<String> {
        let repository = self.folder.path().join("root/acme/anvil.git");
        let asked = ["rev-parse", "--verify", "--quiet", "main"];
        let output = Command::new("git").args(asked).current_dir(repository).output();
        let text = String::from_utf8(output.expect("git runs").stdout).expect("text");
        Some(text.trim().to_owned()).filter(|id| !id.is_empty())
    }
}

/// Runs git, which must succeed, in a folder.
#[track_caller]
pub fn git(arguments: &[&str], folder: &Path) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=T", "-c", "user.email=t@example.com"]).args(arguments);
    let output = command.current_dir(folder).output().expect("git runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {}: {said}", arguments.join(" "));
}

fn git_says(arguments: &[&str]) -> String {
    let output = Command::new("git").args(arguments).output().expect("git runs");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

/// Debian keeps it where only an administrator's path leads.
fn lighttpd() -> PathBuf {
    let usual = Path::new("/usr/sbin/lighttpd");
    if usual.exists() { usual.to_owned() } else { "lighttpd".into() }
}

const CONFIG: &str = r#"
server.modules = ("mod_auth", "mod_authn_file", "mod_setenv", "mod_alias", "mod_cgi")
server.port = @PORT@
server.bind = "127.0.0.1"
server.document-root = "@FOLDER@"
server.errorlog = "@FOLDER@/errors"
auth.backend = "plain"
auth.backend.plain.userfile = "@FOLDER@/users"
auth.require = ("/" => ("method" => "basic", "realm" => "git", "require" => "valid-user"))
setenv.add-environment = ("GIT_PROJECT_ROOT" => "@FOLDER@/root", "GIT_HTTP_EXPORT_ALL" => "1")
alias.url = ("/" => "@BACKEND@/")
cgi.assign = ("" => "")
"#;
