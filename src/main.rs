//! `hotline`: see `src/cli`.
fn main() -> std::process::ExitCode {
    hotline::cli::run()
}
