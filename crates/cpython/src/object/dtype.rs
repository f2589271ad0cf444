//! `numpy.dtype` (numpy/core/include/numpy/ndarraytypes.h, 1.x and 2.x): the description of an item,
//! with the unit of a date or the shape of a subarray in blocks of their own.

use deadweight_heap::EdgeKind;

use super::{Context, Grounds, Sizes, Visitor, count_at, strong};
use crate::memory::{Addr, Memory, addr_at, u32_at};
use crate::types::TypeInfo;
