//! `hotline`: see `src/cli`.

/// Less memory a call and fewer cache misses at many calls than the C library's: see `make bench`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    hotline::cli::run()
}
