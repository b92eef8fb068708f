//! The prompt store: every sound encoded once for every codec. Playing is copying.

use super::g711;
use super::seam::{ClipId, Codec};
use std::collections::BTreeMap;
use std::sync::Arc;

/// All sounds, by index and by name. Never changes; a reload makes another.
#[derive(Debug, Default)]
pub struct Prompts {
    clips: Vec<Clip>,
    names: Arc<BTreeMap<Arc<str>, ClipId>>,
}

#[derive(Debug)]
struct Clip {
    alaw: Box<[u8]>,
    ulaw: Box<[u8]>,
}

impl Prompts {
    /// From samples at 8,000 Hz. Of two with one name the later is kept.
    pub fn build(sounds: Vec<(Arc<str>, Vec<i16>)>) -> Self {
        let sounds: BTreeMap<_, _> = sounds.into_iter().collect();
        let (mut clips, mut names) = (Vec::with_capacity(sounds.len()), BTreeMap::new());
        for (name, samples) in sounds {
            names.insert(name, ClipId(clips.len() as u32));
            clips.push(Clip {
                alaw: g711::encode_all(Codec::Pcma, &samples),
                ulaw: g711::encode_all(Codec::Pcmu, &samples),
            });
        }
        Self { clips, names: Arc::new(names) }
    }

    /// The sound in bytes of `codec`, 8 a millisecond; empty for a clip of another store.
    pub fn get(&self, clip: ClipId, codec: Codec) -> &[u8] {
        let Some(clip) = self.clips.get(clip.0 as usize) else { return &[] };
        match codec {
            Codec::Pcma => &clip.alaw,
            Codec::Pcmu => &clip.ulaw,
        }
    }

    pub fn names(&self) -> &Arc<BTreeMap<Arc<str>, ClipId>> {
        &self.names
    }

    pub fn id(&self, name: &str) -> Option<ClipId> {
        self.names.get(name).copied()
    }

    /// Length in milliseconds.
    pub fn ms(&self, clip: ClipId) -> u32 {
        (self.get(clip, Codec::Pcma).len() / 8) as u32
    }

    pub fn len(&self) -> usize {
        self.clips.len()
    }
    pub fn is_empty(&self) -> bool {
        self.clips.is_empty()
    }
}
