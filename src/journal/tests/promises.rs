//! Promises to call back in a checkpoint, and a move to another queue in the journal.

use crate::base::CallId;
use crate::call::callbacks::OpenCallback;
use crate::call::fact::Fact;
use crate::journal::open::Fold;
use crate::journal::wire;

const OF: CallId = CallId { node: 1, boot: 2, n: 3 };

#[test]
fn a_checkpoint_keeps_where_a_callback_was_moved() {
    let mut fold = Fold { boot: 2, last_seq: 9, ..Fold::default() };
    let open = OpenCallback { seq: 4, entered_ms: 5, priority: 3, tries: 1, ..OpenCallback::default() };
    fold.callbacks.0.insert(OF, open.clone());
    fold.callbacks.0.insert(CallId { n: 4, ..OF }, open);
    fold.fold(10, 0, &Fact::CallbackMoved { call: OF, queue: "second".into() });
    let mut bytes = Vec::new();
    fold.write(&mut bytes);
    assert_eq!(Fold::read(&bytes).as_ref(), Some(&fold));
    // One of before callbacks were moved: it ends where the moves begin.
    let mut before = fold.clone();
    before.callbacks.0.values_mut().for_each(|open| open.queue = None);
    bytes.clear();
    before.write(&mut bytes);
    assert_eq!(bytes.pop(), Some(0));
    assert_eq!(Fold::read(&bytes), Some(before));
}

#[test]
fn a_move_is_read_as_it_was_written() {
    let fact = Fact::CallbackMoved { call: OF, queue: "second".into() };
    let mut bytes = Vec::new();
    wire::write(&fact, &mut wire::Out::new(&mut bytes, None, 7));
    let read = wire::read(wire::kind(&fact), 7, &bytes, &mut |_| None);
    assert_eq!(read.ok().flatten(), Some(fact));
}
