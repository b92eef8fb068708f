//! The agents' desk in the engine, on a virtual clock: every command in every state, the faults that have broken other queues, and why
//! a caller waited (issue 4, rows 3, 4 and 13), and what
//! nobody may dial (`attacks.md` S20).

mod asking;
mod faults;
mod floor;
mod guards;
mod kept;
mod leading;
mod leaving;
mod old_numbers;
mod phone_hold;
mod promised;
mod returning;
mod room;
#[path = "../days/setup_engine.rs"]
mod setup_engine;
mod sip;
mod splitting;
mod table;
mod testing;
mod urging;
mod whys;
