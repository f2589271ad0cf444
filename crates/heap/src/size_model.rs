//! What one interpreter's objects and blocks cost, as plain data, so that changes can be priced.

use crate::units::Bytes;

/// The prices of one interpreter build. Filled by whoever read the target; nothing here is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeModel {
    /// `sizeof(PyObject)`.
    pub object_header: Bytes,
    /// `sizeof(PyGC_Head)`, in front of every object the collector can track.
    pub gc_head: Bytes,
    /// Two words more in front of instances with a managed dict or weak references (3.11+), else 0.
    pub pre_header: Bytes,
    /// Whether attribute values sit in the instance's own block (3.13+).
    pub inline_values: bool,
    /// The largest request that the small-block allocator serves.
    pub small_limit: Bytes,
    /// What small blocks are rounded up to.
    pub small_step: Bytes,
    /// `malloc`'s own header in front of a larger block.
    pub chunk_header: Bytes,
    /// What larger blocks, their header included, are rounded up to.
    pub chunk_step: Bytes,
    /// The smallest block, header included, that `malloc` makes.
    pub chunk_least: Bytes,
}

impl SizeModel {
    /// What a request really holds: rounded by the allocator that serves it.
    ///
    /// ```
    /// use deadweight_heap::{Bytes, SizeModel};
    /// let model = SizeModel::cpython_x86_64();
    /// assert_eq!(model.block(Bytes(41)), Bytes(48));
    /// assert_eq!(model.block(Bytes(513)), Bytes(528));
    /// ```
    #[must_use]
    pub fn block(&self, requested: Bytes) -> Bytes {
        if requested.0 == 0 {
            return Bytes(0);
        }
        if requested <= self.small_limit {
            return self.small(requested);
        }
        self.chunk(requested)
    }

    /// The same for a request that the small-block allocator serves.
    fn small(&self, requested: Bytes) -> Bytes {
        Bytes(requested.0.checked_next_multiple_of(self.small_step.0).unwrap_or(u64::MAX))
    }

    /// The same for a request that `malloc` serves whatever its size.
    #[must_use]
    pub fn chunk(&self, requested: Bytes) -> Bytes {
        let whole = (requested + self.chunk_header).0.checked_next_multiple_of(self.chunk_step.0);
        Bytes(whole.unwrap_or(u64::MAX)).max(self.chunk_least)
    }

    /// The parts that all supported interpreters share: x86-64, with the GIL, glibc's `malloc`.
    #[must_use]
    pub fn cpython_x86_64() -> SizeModel {
        SizeModel {
            object_header: Bytes(16),
            gc_head: Bytes(16),
            pre_header: Bytes(0),
            inline_values: false,
            small_limit: Bytes(512),
            small_step: Bytes(16),
            chunk_header: Bytes(8),
            chunk_step: Bytes(16),
            chunk_least: Bytes(32),
        }
    }
}
