//! What the desk counts of its own work, for `/metrics`. Labels are closed sets, so that nobody outside can make metrics.

use super::problem::{CODES, Reason};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// First digits of the statuses that are counted, as labels.
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// States a ticket can be left in by whoever saves it, as labels.
const SAVED: [&str; 4] = ["draft", "accepted", "closed", "void"];

/// What happened on the citizens' page, as labels.
const PUBLIC: [&str; 7] = ["received", "acted", "wrong", "refused", "limited", "not_found", "locked"];

/// One per process; cheap to write, read by whoever scrapes.
#[derive(Debug, Default)]
pub struct Counts {
    answers: [AtomicU64; CLASSES.len()],
    /// By the code of the problem document.
    problems: [AtomicU64; CODES.len()],
    /// Tickets saved, by the state they were left in.
    saved: [AtomicU64; SAVED.len()],
    public: [AtomicU64; PUBLIC.len()],
    /// Connections taken, and those closed unheard because their source had too many.
    pub accepted: AtomicU64,
    pub turned_away: AtomicU64,
    pub open: AtomicU64,
    /// Times that no connection could be taken: out of descriptors.
    pub accept_failed: AtomicU64,
}

impl Counts {
    fn answered(&self, response: &Response) {
        let class = usize::from(response.status().as_u16() / 100);
        if let Some(count) = class.checked_sub(2).and_then(|class| self.answers.get(class)) {
            count.fetch_add(1, Relaxed);
        }
        let Some(Reason(code)) = response.extensions().get::<Reason>() else { return };
        if let Some(at) = CODES.iter().position(|known| known == code) {
            self.problems[at].fetch_add(1, Relaxed);
        }
    }

    pub fn ticket_saved(&self, state: &str) {
        if let Some(at) = SAVED.iter().position(|known| *known == state) {
            self.saved[at].fetch_add(1, Relaxed);
        }
    }

    /// One of [`PUBLIC`].
    pub fn public(&self, what: &str) {
        if let Some(at) = PUBLIC.iter().position(|known| *known == what) {
            self.public[at].fetch_add(1, Relaxed);
        }
    }

    /// Puts the figures into `text`, which is OpenMetrics and ends with its mark.
    pub fn append(&self, mut text: String) -> String {
        const END: &str = "# EOF\n";
        if text.ends_with(END) {
            text.truncate(text.len() - END.len());
        }
        let get = |count: &AtomicU64| count.load(Relaxed);
        let mut family =
            |name: &str, help: &str, label: &str, rows: &mut dyn Iterator<Item = (&str, u64)>| {
                // Writing to a String cannot fail.
                let _ = writeln!(text, "# HELP {name} {help}.\n# TYPE {name} counter");
                for (value, count) in rows {
                    let _ = writeln!(text, "{name}_total{{{label}=\"{value}\"}} {count}");
                }
            };
        let answers = CLASSES.into_iter().zip(self.answers.iter().map(get));
        family("hotline_http_answers", "HTTP answers by the class of their status", "class", &mut {
            answers
        });
        let problems = CODES.iter().copied().zip(self.problems.iter().map(get));
        family("hotline_http_problems", "HTTP problem documents by their code", "code", &mut { problems });
        let saved = SAVED.iter().copied().zip(self.saved.iter().map(get));
        family(
            "hotline_tickets_saved",
            "Tickets saved by people, by the state they were left in",
            "state",
            &mut { saved },
        );
        let public = PUBLIC.into_iter().zip(self.public.iter().map(get));
        family("hotline_public_page", "What happened on the citizens' page", "what", &mut { public });
        let connections = [
            ("accepted", get(&self.accepted)),
            ("turned_away", get(&self.turned_away)),
            ("accept_failed", get(&self.accept_failed)),
        ];
        family("hotline_http_connections", "HTTP connections", "what", &mut connections.into_iter());
        let open = get(&self.open);
        let _ = write!(
            text,
            "# HELP hotline_http_open HTTP connections now.\n# TYPE hotline_http_open gauge\nhotline_http_open {open}\n{END}"
        );
        text
    }
}

/// A connection that is open as long as this lives.
pub struct Open(Arc<Counts>);

impl Open {
    pub fn begin(counts: &Arc<Counts>) -> Self {
        counts.accepted.fetch_add(1, Relaxed);
        counts.open.fetch_add(1, Relaxed);
        Self(Arc::clone(counts))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}

/// Stands before everything else: what leaves has been counted.
pub async fn count(State(counts): State<Arc<Counts>>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    counts.answered(&response);
    response
}

#[cfg(test)]
mod tests {
    use super::super::problem::Problem;
    use super::*;
    use axum::response::IntoResponse as _;

    #[test]
    fn answers_and_problems_stand_in_the_text_before_its_end() {
        let counts = Arc::new(Counts::default());
        counts.answered(&Problem::foreign_origin().into_response());
        counts.answered(&Problem::away("the database").into_response());
        counts.answered(&"fine".into_response());
        let open = Open::begin(&counts);
        let text = counts.append("hotline_live_calls 0\n# EOF\n".into());
        for line in [
            "hotline_live_calls 0",
            "hotline_http_answers_total{class=\"2xx\"} 1",
            "hotline_http_answers_total{class=\"4xx\"} 1",
            "hotline_http_answers_total{class=\"5xx\"} 1",
            "hotline_http_problems_total{code=\"foreign_origin\"} 1",
            "hotline_http_problems_total{code=\"away\"} 1",
            "hotline_http_problems_total{code=\"exists\"} 0",
            "hotline_http_connections_total{what=\"accepted\"} 1",
            "hotline_http_open 1",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
        }
        assert_eq!(text.matches("# EOF").count(), 1);
        assert!(text.ends_with("# EOF\n"));
        drop(open);
        assert_eq!(counts.open.load(Relaxed), 0);
    }
}
