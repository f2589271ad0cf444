//! The state of an interpreter's garbage collector, in the terms of Python's `gc` module.

/// What a collector says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collector {
    /// Whether it runs by itself (`gc.isenabled()`).
    pub enabled: bool,
    /// Whether a collection was under way.
    pub collecting: bool,
    /// Whether it is the incremental one of 3.14.0 to 3.14.4; all others collect by generation.
    pub incremental: bool,
    /// Youngest first.
    pub generations: [Generation; 3],
    /// `len(gc.garbage)`.
    pub garbage: u64,
    /// Objects that survived the last full collection.
    pub long_lived_total: u64,
    /// Objects that survived the collections since, of younger generations. A full collection waits until
    /// they are a quarter of the others.
    pub long_lived_pending: u64,
    /// Interpreters of the process. This is the collector of the main one.
    pub interpreters: u64,
}

/// One generation of a collector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Generation {
    /// Of `gc.get_threshold()`.
    pub threshold: i32,
    /// Of `gc.get_count()`.
    pub count: i32,
    /// `len(gc.get_objects(generation))`.
    pub objects: u64,
    /// Of `gc.get_stats()`: how often it was collected.
    pub collections: u64,
    /// How many objects were freed.
    pub collected: u64,
    /// How many could not be.
    pub uncollectable: u64,
}

impl Collector {
    /// Whether collections happen at all: a threshold of 0 is as good as `gc.disable()`.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.enabled && self.generations[0].threshold != 0
    }
}
