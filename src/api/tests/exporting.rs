//! Tickets as files: what a role's list shows it, no more, and a way back to whoever took them.

use super::{Desk, on_both};
use calamine::{Data, Reader as _, Xlsx};
use reqwest::{Method, StatusCode};
use serde_json::Value as Json;

async fn file(desk: &Desk, token: &str, query: &str) -> (StatusCode, Vec<u8>) {
    let request = desk.ask(Method::GET, &format!("/api/v1/tickets/export?{query}")).bearer_auth(token);
    let response = request.send().await.unwrap();
    let status = response.status();
    (status, response.bytes().await.unwrap().to_vec())
}

fn rows(bytes: &[u8]) -> Vec<Vec<String>> {
    let text = std::str::from_utf8(bytes).unwrap().strip_prefix('\u{feff}').expect("Excel's mark");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn export_id(mark: &str) -> String {
    mark.split(' ').find(|word| word.starts_with("x-")).unwrap().to_owned()
}

#[test]
fn every_role_gets_the_rows_and_columns_of_its_list() {
    on_both(|desk| async move {
        for name in ["as-agent", "as-visitor", "as-kb", "as-auditor", "as-security", "as-admin"] {
            let token = desk.token(name).await;
            assert_eq!(file(&desk, &token, "").await.0, StatusCode::FORBIDDEN, "{name}");
        }
        for name in [
            "as-lead",
            "as-dispatcher",
            "as-office",
            "as-qa",
            "as-leader",
            "as-unit",
            "as-unit-head",
            "as-analyst",
            "as-observer",
        ] {
            let token = desk.token(name).await;
            let (_, listed) = desk.get(&token, "/api/v1/tickets?limit=500").await;
            let listed = listed["items"].as_array().unwrap();
            let (status, bytes) = file(&desk, &token, "format=csv").await;
            assert_eq!(status, StatusCode::OK, "{name}");
            let rows = rows(&bytes);
            let (heads, mark) = (&rows[0], rows.last().unwrap());
            let body = &rows[1..rows.len() - 1];
            assert_eq!(body.len(), listed.len(), "{name}");
            assert!(!listed.is_empty(), "{name}: something to compare");
            let at = |head: &str| heads.iter().position(|one| one == head);
            for (row, ticket) in body.iter().zip(listed) {
                for (head, field) in [
                    ("编号", "no"),
                    ("状态", "state"),
                    ("标题", "title"),
                    ("转办内容", "brief"),
                    ("来电号码", "caller"),
                    ("来电原话", "content"),
                    ("创建时间", "created_at"),
                ] {
                    let want = ticket[field].as_str().unwrap_or_default();
                    match at(head) {
                        Some(at) => assert_eq!(row[at].trim_start_matches('\''), want, "{name} {field}"),
                        None => assert_eq!(
                            ticket[field],
                            Json::Null,
                            "{name}: what is seen is in the file, {field}"
                        ),
                    }
                }
            }
            let unit = name.starts_with("as-unit");
            assert_eq!(at("来电号码").is_none() && at("来电原话").is_none(), unit, "{name}");
            assert!(mark[0].starts_with("# 导出编号 x-"), "{mark:?}");
            assert!(mark[0].contains(name) && mark[0].ends_with(&format!("{} 行", body.len())), "{mark:?}");
        }
        desk
    });
}

#[test]
fn a_file_leads_back_to_who_took_it() {
    on_both(|desk| async move {
        let (lead, auditor) = (desk.token("as-lead").await, desk.token("as-auditor").await);
        let (_, bytes) = file(&desk, &lead, "state=accepted,closed&caller=12000000001").await;
        let all = rows(&bytes);
        let id = export_id(&all.last().unwrap()[0]);
        assert_eq!(desk.get(&lead, &format!("/api/v1/exports/{id}")).await.0, StatusCode::FORBIDDEN);
        let (status, shown) = desk.get(&auditor, &format!("/api/v1/exports/{id}")).await;
        assert_eq!(status, StatusCode::OK, "{shown}");
        assert_eq!((&shown["user"], &shown["format"]), (&"as-lead".into(), &"csv".into()));
        assert_eq!(shown["rows"], Json::from(all.len() - 2));
        let filter = shown["filter"].as_str().unwrap();
        assert!(filter.contains("state=accepted,closed") && filter.contains("caller=*"), "{filter}");
        assert!(!filter.contains("12000000001"));
        assert_eq!(desk.get(&auditor, "/api/v1/exports/x-0").await.0, StatusCode::NOT_FOUND);
        let log = desk.db.accesses_of_exports().await;
        assert_eq!(log.len(), 1);
        assert!(log[0].0.starts_with(&id) && log[0].1 == (all.len() - 2).to_string(), "{log:?}");
        desk
    });
}

#[test]
fn a_sheet_says_who_took_it_and_a_word_of_it_is_no_formula() {
    on_both(|desk| async move {
        let office = desk.token("as-office").await;
        let (status, bytes) = file(&desk, &office, "format=xlsx").await;
        assert_eq!(status, StatusCode::OK);
        let mut book: Xlsx<_> = Xlsx::new(std::io::Cursor::new(bytes)).unwrap();
        let about = book.worksheet_range("导出说明").unwrap();
        let cell = |row: u32| about.get_value((row, 1)).unwrap().to_string();
        assert!(cell(0).starts_with("x-"));
        assert_eq!(cell(1), "as-office");
        let sheet = book.worksheet_range("工单").unwrap();
        let (_, listed) = desk.get(&office, "/api/v1/tickets?limit=500").await;
        let count = listed["items"].as_array().unwrap().len();
        assert_eq!(sheet.rows().count(), count + 1);
        assert_eq!(cell(3), count.to_string());
        assert!(sheet.rows().flatten().all(|cell| matches!(cell, Data::String(_) | Data::Empty)));
        for (bad, code) in
            [("format=pdf", 400), ("limit=5", 400), ("q=暖气", 400), ("state=x&order=none", 400)]
        {
            assert_eq!(file(&desk, &office, bad).await.0.as_u16(), code, "{bad}");
        }
        desk
    });
}
