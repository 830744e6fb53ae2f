//! The owner's session in a browser, as the page has it.

use crate::accounts::{Accounts, Page};
use crate::http::{Request, Response};

/// Where a session begins.
pub const SESSION: &str = "/api/owner/session";

/// The owner's cookie and word.
#[derive(Clone, Debug)]
pub struct Owner {
    pub cookie: String,
    pub word: String,
}

impl Owner {
    /// Of an answer that opened a session.
    #[track_caller]
    pub fn of(answer: Response) -> Self {
        let answer = answer.expect(200);
        let cookie = answer.header("set-cookie").and_then(|set| set.split(';').next());
        let word = answer.header("x-symbolon-csrf").expect("a word");
        Self { cookie: cookie.expect("a cookie").to_owned(), word: word.to_owned() }
    }

    /// By a link of the command line.
    #[track_caller]
    pub fn by_link(server: &Accounts) -> Self {
        let link = server.home.ok(&["page"]).stdout();
        let code = link.trim().rsplit("#link=").next().expect("a code").as_bytes().to_vec();
        let asked = server.page().request("POST", SESSION).header("content-type", "text/plain");
        Self::of(asked.bytes(code).answer())
    }

    /// A request with both sessions, where the account's word is `word`.
    pub fn with(&self, page: &Page, method: &'static str, path: &str, word: &str) -> Request {
        let mut both = page.clone();
        both.cookie = Some(format!("{}; {}", self.cookie, page.cookie.as_deref().unwrap_or("a=b")));
        both.csrf = Some(self.word.clone());
        both.request(method, path).header("x-symbolon-account-csrf", word)
    }

    /// A request with the owner's session alone.
    pub fn alone(&self, server: &Accounts, method: &'static str, path: &str) -> Request {
        let page = Page { cookie: Some(self.cookie.clone()), ..server.page() };
        page.request(method, path).header("x-symbolon-csrf", &self.word)
    }
}
