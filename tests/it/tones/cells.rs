//! The matrix: operations by pairs of parties. A row is a name and what is done, in the words [`super::table`] knows.
//!
//! | letter | who |
//! |---|---|
//! | `C` | the citizen, by SIP from the trunk |
//! | `b` `B` | agents in a browser |
//! | `p` `P` | agents at a registered SIP phone |
//! | `N` `M` `O` | outside numbers, reached by the trunk |
//! | `L` | a lead in a browser |
//! | `m` | the hold music, a tone too |

pub struct Cell {
    pub name: String,
    pub script: String,
}

/// `a`: who has the call; `x`: whom he turns to.
const PAIRS: [(&str, &str, &str); 6] = [
    ("browser and browser", "b", "B"),
    ("browser and phone", "b", "P"),
    ("browser and outside", "b", "N"),
    ("phone and browser", "p", "B"),
    ("phone and phone", "p", "P"),
    ("phone and outside", "p", "N"),
];

/// With the citizen who called in.
const INBOUND: [(&str, &str); 8] = [
    ("blind transfer", "in a; a transfer x; hear Cx; over x"),
    ("consult and back", "in a; a consult x; hear ax C:m; a retrieve; hear aC"),
    ("consult, the asked one goes", "in a; a consult x; hear ax C:m; x bye; hear C:m; a retrieve; hear aC"),
    ("asked, refuses", "in a; a asks x; hear C:m; x refuses; hear C:m; a retrieve; hear aC"),
    ("sent on, refuses", "in a; a sends x; hear C:m; x refuses; a again; hear aC"),
    ("attended transfer", "in a; a consult x; hear ax C:m; a transfer; hear Cx; over C"),
    (
        "consult, then three",
        "in a; a consult x; hear ax C:m; a conference; hear aCx; a complete; hear Cx; over x",
    ),
    (
        "three at once, hold among them",
        "in a; a conference x; hear aCx; a hold; hear ax C:m; a retrieve; hear aCx; x bye; hear aC",
    ),
];

/// With an outside number that the agent dialled. `M` takes the part of a second outside number.
const OUTBOUND: [(&str, &str); 3] = [
    ("dialled, consult and back", "out a O; hear aO; a consult x; hear ax O:m; a retrieve; hear aO"),
    ("dialled, attended transfer", "out a O; a consult x; hear ax O:m; a transfer; hear Ox"),
    ("dialled, three at once", "out a O; a conference x; hear aOx; x bye; hear aO; O bye; hear"),
];

/// With one agent.
const ALONE: [(&str, &str); 8] = [
    ("hold", "in a; a hold; hear C:m; a retrieve; hear aC; over a"),
    ("the citizen's own hold", "in a; C holds; hear a:C; C resumes; hear aC; over C"),
    ("dialled, hold", "out a O; hear aO; a hold; hear O:m; a retrieve; hear aO; O bye; hear"),
    ("listen", "in a; L listen a; hear aC L:aC; L bye; hear aC"),
    ("whisper", "in a; L whisper a; hear C:a a:CL L:aC; L bye; hear aC"),
    ("barge", "in a; L barge a; hear aCL; L bye; hear aC"),
    (
        "listen, whisper, barge in one",
        "in a; L listen a; hear aC L:aC; L whisper a; hear C:a a:CL L:aC; L barge a; hear aCL",
    ),
    ("takeover", "in a; L listen a; hear aC L:aC; L takeover a; hear CL; over L"),
];

const ONCE: [(&str, &str); 20] = [
    ("transfer to the queue, browser and browser", "in b; b queue B; hear CB"),
    ("transfer to the queue, browser and phone", "in b; b queue P; hear CP"),
    ("transfer to the queue, phone and browser", "in p; p queue B; hear CB"),
    ("transfer to the queue, phone and phone", "in p; p queue P; hear CP"),
    ("handed on twice", "in b; b transfer P; hear CP; P transfer B; hear CB; B transfer N; hear CN; over N"),
    (
        "asked one asks the next",
        "in b; b consult P; hear bP C:m; b transfer; hear CP; P consult N; hear PN C:m; P conference; hear CPN; P complete; hear CN",
    ),
    ("the phone's own hold", "in p; p holds; hear C:m; p resumes; hear pC"),
    ("an outside number's own hold", "in b; b conference N; N holds; hear bC b:N C:N; N resumes; hear bCN"),
    ("the citizen goes while a colleague is asked", "in b; b consult P; hear bP C:m; C bye; hear"),
    ("the citizen goes while an outside number is asked", "in p; p consult N; hear pN C:m; C bye; hear"),
    ("the citizen goes while it rings", "in p; p asks B; hear C:m; C bye; hear"),
    ("who asked hangs up, browser asked", "in p; p consult B; hear pB C:m; p bye; hear CB"),
    ("who asked hangs up, outside asked", "in p; p consult N; hear pN C:m; p bye; hear CN"),
    (
        "a conference goes on while one of it asks",
        "in b; b conference N; hear bCN; b consult P; hear bP CN; N bye; hear bP C:m; b retrieve; hear bC",
    ),
    (
        "asked from a conference, handed on",
        "in p; p conference N; hear pCN; p consult B; hear pB CN; p transfer; hear BCN",
    ),
    ("hanging up ends the question", "in b; b consult P; hear bP C:m; b bye; hear C:m; b retrieve; hear bC"),
    (
        "taken back while it rings, then asked again",
        "in b; b asks P; hear C:m; b retrieve; hear bC; b asks P; P answers; hear bP C:m",
    ),
    ("sent on, answers late", "in p; p sends N; hear C:m; N answers; hear CN"),
    (
        "eight at a table, and no ninth",
        "in b; b conference B; b conference p; b conference P; b conference N; b conference M; b conference O; \
         hear bCBpPNMO; b ninth L; hear bCBpPNMO; N bye; B bye; hear bCpPMO; b hold; hear bpPMO C:m; b retrieve; hear bCpPMO",
    ),
    (
        "whisper while asking a colleague",
        "in b; L listen b; b consult B; hear bB L:bB C:m; L whisper b; hear b:BL B:bL L:bB C:m; b retrieve; hear b:CL C:b L:bC",
    ),
];

pub fn all() -> Vec<Cell> {
    let mut cells = Vec::new();
    let mut add = |name: String, script: String| cells.push(Cell { name, script });
    // The longest first: they fill the tables best.
    for (name, script) in ONCE.iter().rev() {
        add((*name).to_owned(), (*script).to_owned());
    }
    for (pair, a, x) in PAIRS {
        for (name, script) in INBOUND.iter().chain(&OUTBOUND) {
            add(format!("{name}, {pair}"), put(script, a, x));
        }
    }
    for (kind, a) in [("browser", "b"), ("phone", "p")] {
        for (name, script) in ALONE {
            add(format!("{name}, {kind}"), put(script, a, ""));
        }
    }
    cells
}

/// `a` and `x` are replaced where they stand for parties: alone, or in what is heard.
fn put(script: &str, a: &str, x: &str) -> String {
    let word = |word: &str| {
        let is_party = word.chars().all(|c| c.is_ascii_uppercase() || "axm:".contains(c));
        if is_party { word.replace('a', a).replace('x', x) } else { word.to_owned() }
    };
    let step = |step: &str| step.split_whitespace().map(word).collect::<Vec<_>>().join(" ");
    script.split(';').map(step).collect::<Vec<_>>().join("; ")
}
