//! What this process asks of the kernel, so that a call's answer waits for nothing of the desk. The only unsafe code of this room.
//!
//! A kernel too old for one of these goes on without it: slower in the worst per cent, nothing else.

#![allow(unsafe_code)]

/// Nanoseconds an engine's or journal's turn is counted in; the kernel's own is about 3 ms.
const SLICE_NS: u64 = 100_000;

/// Memory comes in pages of 4 KiB from now on. Clearing one of 2 MiB at its first touch holds a thread for 5 ms on a virtual
/// machine, in the middle of an answer or between two packets (INVITE→200 p99 5.3 ms with them, calls per second fewer by a fifth).
pub fn no_huge_pages() {
    // SAFETY: a plain system call about this process.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1 as libc::c_ulong, 0, 0, 0) };
}

/// Wakes this thread ahead of one with a longer turn, which would otherwise finish its own first when both share a core
/// (EEVDF, Linux 6.12 and later). It gets no more of the core than before.
pub fn short_turns() {
    let wish = libc::sched_attr {
        size: size_of::<libc::sched_attr>() as u32,
        sched_policy: libc::SCHED_OTHER as u32,
        sched_flags: 0,
        sched_nice: nice(),
        sched_priority: 0,
        sched_runtime: SLICE_NS,
        sched_deadline: 0,
        sched_period: 0,
    };
    // SAFETY: 0 is this thread; the wish says its own size and outlives the call.
    unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const wish, 0) };
}

/// Whatever this thread was started with stays.
fn nice() -> i32 {
    // SAFETY: a plain system call about this thread. Its one ambiguous answer, -1, is a niceness too.
    unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
}

/// Takes as many open files as this process may have, for two sockets a leg. How many that is now.
pub fn more_files() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: one limit that outlives both calls.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) != 0 {
            return 0;
        }
        let wish = libc::rlimit { rlim_cur: limit.rlim_max, rlim_max: limit.rlim_max };
        if libc::setrlimit(libc::RLIMIT_NOFILE, &raw const wish) == 0 {
            wish.rlim_cur
        } else {
            limit.rlim_cur
        }
    }
}
