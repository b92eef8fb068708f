//! The journal on a disk that forgets, tears and fails. A seed is printed with whatever goes wrong.

mod crashes;
mod damage;
mod disk;
mod faults;
mod follow;
mod promises;
mod words;
mod world;
