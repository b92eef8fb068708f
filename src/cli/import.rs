//! `hotline ticket import FILE`: a sheet of old tickets, read row by row by a thread of its own, checked, and written in bundles.

use super::desk::{self, Missing, ask};
use super::{Failure, Where};
use crate::app;
use crate::ticket::district::District;
use crate::ticket::old::{Fault, Heads};
use calamine::{DataRef, Reader as _, Xlsx};
use serde_json::json;
use std::fs::File;
use std::io::BufReader;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

/// Rows on their way from the file, and rows written in one transaction.
const AHEAD: usize = 4_096;
const BUNDLE: usize = 2_000;
/// Columns looked at.
const WIDE: usize = 256;
/// Bad rows named on the screen; the report has all of them.
const TOLD: u64 = 20;

#[derive(clap::Args, Debug)]
pub struct Import {
    /// A CSV (UTF-8) or XLSX file; its first row are headings, such as old_no, created_at, title (or 原编号, 受理时间, 标题).
    file: PathBuf,
    /// Check everything and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Where bad rows are told, as CSV: line, column, reason. Without it: FILE.bad.csv, when there are any.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Print JSON: {"rows", "added", "known", "bad", "report"}.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Where,
}

/// A row with the line it began at, or why the file cannot be read on.
type Row = Result<(u64, Vec<String>), String>;

pub fn run(args: &Import) -> Result<(), Failure> {
    ask(&args.place, Missing::Make, |db, config| async move {
        db.migrate().await.map_err(Failure::new)?;
        let district = District::shipped();
        let zone = app::zone(&config);
        let (to, mut rows) = mpsc::channel::<Row>(AHEAD);
        let path = args.file.clone();
        let reader = std::thread::spawn(move || read(&path, &to));
        let mut heads = None;
        let mut bad = Bad::new(args);
        let (mut seen, mut done, mut bundle) = (0u64, crate::store::Imported::default(), Vec::new());
        loop {
            let row = rows.recv().await.transpose().map_err(Failure::new)?;
            let last = row.is_none();
            if let Some((line, cells)) = row {
                match &heads {
                    None => match Heads::read(&cells) {
                        Ok(read) => heads = Some(read),
                        Err(faults) => {
                            let told: Vec<String> =
                                faults.iter().map(|one| format!("{}: {}", one.column, one.reason)).collect();
                            return Err(Failure::new(format!("line {line}: {}", told.join("; "))));
                        }
                    },
                    Some(_) if cells.iter().all(|cell| cell.trim().is_empty()) => {}
                    Some(heads) => {
                        seen += 1;
                        match heads.ticket(&cells, &district, &zone, desk::now()) {
                            Ok(ticket) => bundle.push(ticket),
                            Err(faults) => bad.tell(line, &faults)?,
                        }
                    }
                }
            }
            if bundle.len() >= BUNDLE || (last && !bundle.is_empty()) {
                let bundle = std::mem::take(&mut bundle);
                let some =
                    db.import_tickets(bundle, desk::now(), args.dry_run).await.map_err(Failure::new)?;
                done.added += some.added;
                done.known += some.known;
            }
            if last {
                break;
            }
        }
        // It has ended: its channel is closed.
        if reader.join().is_err() {
            return Err(Failure::new(format!("{}: cannot be read", args.file.display())));
        }
        let (wrong, report) = bad.end()?;
        if !args.dry_run {
            let name = args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let outcome = format!("{} added, {} known, {wrong} bad", done.added, done.known);
            let access = desk::access("ticket.import", name, &outcome);
            db.log_access(&access).await.map_err(Failure::new)?;
        }
        let report = report.map(|path| path.display().to_string());
        if args.json {
            println!(
                "{}",
                json!({"rows": seen, "added": done.added, "known": done.known, "bad": wrong, "report": report})
            );
        } else {
            let verb = if args.dry_run { "would be added" } else { "added" };
            println!("{seen} rows: {} {verb}, {} known, {wrong} bad", done.added, done.known);
            if let Some(report) = &report {
                println!("what is wrong with them: {report}");
            }
        }
        // The good ones are in; whoever runs this from a script learns that not all of them are.
        if wrong > 0 { Err(Failure::Quiet) } else { Ok(()) }
    })
}

/// Rows that were not taken.
struct Bad {
    path: PathBuf,
    report: Option<csv::Writer<File>>,
    rows: u64,
}

impl Bad {
    fn new(args: &Import) -> Self {
        let mut name = args.file.as_os_str().to_owned();
        name.push(".bad.csv");
        Self { path: args.report.clone().unwrap_or_else(|| name.into()), report: None, rows: 0 }
    }

    fn tell(&mut self, line: u64, faults: &[Fault]) -> Result<(), Failure> {
        let failed =
            |error: &dyn std::fmt::Display| Failure::new(format!("{}: {error}", self.path.display()));
        self.rows += 1;
        let report = match &mut self.report {
            Some(report) => report,
            None => {
                let mut fresh = csv::Writer::from_path(&self.path).map_err(|e| failed(&e))?;
                fresh.write_record(["line", "column", "reason"]).map_err(|e| failed(&e))?;
                self.report.insert(fresh)
            }
        };
        for fault in faults {
            let fields = [&*line.to_string(), &fault.column, fault.reason];
            report.write_record(fields).map_err(|e| failed(&e))?;
            if self.rows <= TOLD {
                eprintln!("line {line}, {}: {}", fault.column, fault.reason);
            }
        }
        Ok(())
    }

    fn end(self) -> Result<(u64, Option<PathBuf>), Failure> {
        let Some(mut report) = self.report else { return Ok((0, None)) };
        report.flush().map_err(|e| Failure::new(format!("{}: {e}", self.path.display())))?;
        Ok((self.rows, Some(self.path)))
    }
}

fn read(path: &Path, to: &mpsc::Sender<Row>) {
    let sheet = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("xlsx"));
    let done = if sheet { read_xlsx(path, to) } else { read_csv(path, to) };
    if let Err(error) = done {
        // Whoever asked may have gone: then nobody wants to know.
        let _ = to.blocking_send(Err(format!("{}: {error}", path.display())));
    }
}

fn read_csv(path: &Path, to: &mpsc::Sender<Row>) -> Result<(), String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_path(path)
        .map_err(|e| e.to_string())?;
    let bytes = File::open(path).map_err(|e| e.to_string())?;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|e| e.to_string())? {
        let line = record.position().map_or(0, |at| at.line() + u64::from(behind_cr(&bytes, at.byte())));
        let cells = record.iter().take(WIDE).map(str::to_owned).collect();
        if to.blocking_send(Ok((line, cells))).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// Whether the place of a record is the line feed behind a carriage return: the reader has not counted that line's end yet.
fn behind_cr(file: &File, at: u64) -> bool {
    let mut byte = [0];
    matches!(file.read_at(&mut byte, at), Ok(1)) && byte == *b"\n"
}

/// Cell by cell: only the texts that cells share are in memory whole.
fn read_xlsx(path: &Path, to: &mpsc::Sender<Row>) -> Result<(), String> {
    let file = File::open(path).map_err(|e| e.to_string())?;
    let mut book: Xlsx<_> = Xlsx::new(BufReader::new(file)).map_err(|e| e.to_string())?;
    let name = book.sheet_names().into_iter().next().ok_or("no sheet in it")?;
    let mut cells = book.worksheet_cells_reader(&name).map_err(|e| e.to_string())?;
    let mut row: (u32, Vec<String>) = (0, Vec::new());
    while let Some(cell) = cells.next_cell().map_err(|e| e.to_string())? {
        let (at, column) = cell.get_position();
        if at != row.0 && !row.1.is_empty() {
            let whole = std::mem::take(&mut row.1);
            if to.blocking_send(Ok((u64::from(row.0) + 1, whole))).is_err() {
                return Ok(());
            }
        }
        row.0 = at;
        let column = column as usize;
        if column < WIDE {
            if row.1.len() <= column {
                row.1.resize(column + 1, String::new());
            }
            row.1[column] = text(cell.get_value());
        }
    }
    if !row.1.is_empty() {
        let _ = to.blocking_send(Ok((u64::from(row.0) + 1, row.1)));
    }
    Ok(())
}

fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        // Numbers that were typed as such: old numbers, telephones, codes.
        DataRef::Float(number) if number.fract() == 0.0 => format!("{number:.0}"),
        DataRef::Float(number) => number.to_string(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Bool(yes) => yes.to_string(),
        DataRef::DateTime(at) => moment(at.as_f64()),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(_) => "#".to_owned(),
        DataRef::Empty => String::new(),
    }
}

/// Days since the end of 1899 as a time of the clock on the wall.
fn moment(days: f64) -> String {
    const FROM: f64 = 25_569.0;
    let seconds = ((days - FROM) * 86_400.0).round();
    if !(-2e9..=1e11).contains(&seconds) {
        return "#".to_owned();
    }
    // In range by the line above.
    let at = jiff::Timestamp::from_second(seconds as i64).unwrap_or_default();
    at.to_zoned_datetime(jiff::tz::TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(dir: &Path, file: &Path, dry_run: bool) -> Result<(), Failure> {
        run(&Import {
            file: file.to_owned(),
            dry_run,
            report: None,
            json: true,
            place: Where { config: None, data: Some(dir.to_owned()) },
        })
    }

    fn verified(dir: &Path) -> (u64, Vec<String>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let url = format!("sqlite://{}", dir.join("hotline.db").display());
            let db = crate::store::Db::open(&url, crate::store::OpenOptions::default()).await.unwrap();
            let report = db.verify().await.unwrap();
            db.close().await;
            (report.tickets, report.problems)
        })
    }

    /// Twenty thousand rows of which every thousandth is bad, twice.
    #[test]
    fn good_rows_go_in_once_and_bad_ones_are_told_by_line() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("old.csv");
        let mut text = String::from("\u{feff}原编号,受理时间,分类代码,标题,来电号码\r\n");
        for n in 0..20_000 {
            let category = if n % 1_000 == 999 { "999999" } else { "030101" };
            text.push_str(&format!(
                "Q{n},2023-05-{:02} 10:00,{category},\"第{n}号,不热\",12000000001\r\n",
                n % 28 + 1
            ));
        }
        std::fs::write(&file, text).unwrap();
        assert!(matches!(import(dir.path(), &file, true), Err(Failure::Quiet)));
        assert_eq!(verified(dir.path()), (0, Vec::new()), "dry: nothing is written");
        for _ in 0..2 {
            assert!(matches!(import(dir.path(), &file, false), Err(Failure::Quiet)));
            assert_eq!(verified(dir.path()), (19_980, Vec::new()));
            let report = std::fs::read_to_string(dir.path().join("old.csv.bad.csv")).unwrap();
            let lines: Vec<&str> = report.lines().collect();
            assert_eq!(lines.len(), 21);
            assert_eq!(lines[..2], ["line,column,reason", "1001,category,no such code here"]);
        }
        std::fs::write(&file, "颜色\n红\n").unwrap();
        let told = import(dir.path(), &file, false).unwrap_err().to_string();
        assert!(told.contains("line 1: 颜色: no column has this heading"), "{told}");
    }

    #[test]
    fn a_sheet_is_read_cell_by_cell_with_its_numbers_and_days() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("old.xlsx");
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for (column, head) in (0u16..).zip(["old_no", "created_at", "caller", "title"]) {
            sheet.write_string(0, column, head).unwrap();
        }
        let day = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd hh:mm");
        sheet.write_number(1, 0, 20_230_001).unwrap();
        sheet.write_number_with_format(1, 1, 45_352.354_166_666_664, &day).unwrap();
        sheet.write_number(1, 2, 12_000_000_001_f64).unwrap();
        sheet.write_string(1, 3, "井盖").unwrap();
        sheet.write_string(3, 0, "X2").unwrap();
        sheet.write_string(3, 1, "昨天").unwrap();
        book.save(&file).unwrap();
        assert!(matches!(import(dir.path(), &file, false), Err(Failure::Quiet)));
        let report = std::fs::read_to_string(dir.path().join("old.xlsx.bad.csv")).unwrap();
        assert!(report.contains("\n4,created_at,\"is no time"), "{report}");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let url = format!("sqlite://{}", dir.path().join("hotline.db").display());
            let db = crate::store::Db::open(&url, crate::store::OpenOptions::default()).await.unwrap();
            let one = db.ticket("20230001", &crate::store::Scope::All).await.unwrap().unwrap();
            assert_eq!((one.created_at, one.caller.as_deref()), (1_709_253_000_000, Some("12000000001")));
            db.close().await;
        });
    }

    #[test]
    fn a_sheets_days_are_times_on_the_wall() {
        assert_eq!(moment(45_352.354_166_666_664), "2024-03-01 08:30:00");
        assert_eq!(moment(f64::NAN), "#");
    }
}
