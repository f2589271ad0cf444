//! Any text as a path: an error that can be shown, or a path that prints as what reads back as itself.

use std::sync::OnceLock;

use deadweight_heap::path::{PathError, PathExpr, resolve};
use deadweight_heap::{
    Addr, BuildError, Bytes, EdgeKind, Heap, HeapBuilder, Label, NodeFlags, NodeId, RootKind,
    SizeModel, TypeKind,
};

/// Parses, prints and resolves; says what came of it.
pub(crate) fn run(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let path = match text.parse::<PathExpr>() {
        Ok(path) => path,
        Err(error) => {
            assert!(error.to_string().contains("not a path"), "{error}");
            let PathError::Syntax { expected, at, text } = error else { panic!("{error}") };
            assert!(text.is_char_boundary(at), "{text} {at}");
            return format!("expected {expected}");
        }
    };
    let again = path.to_string();
    assert_eq!(again.parse::<PathExpr>().as_ref(), Ok(&path), "{again}");
    let sort = |debug: String| debug.split('(').next().unwrap_or_default().to_owned();
    let mut steps: Vec<String> = path.steps.iter().map(|step| sort(format!("{step:?}"))).collect();
    steps.truncate(2);
    let heap = heap();
    let found = match resolve(heap, &path) {
        Ok(nodes) => {
            assert!(nodes.iter().all(|node| node.index() < heap.nodes.len()));
            "found".to_owned()
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            sort(format!("{error:?}")).split(' ').next().unwrap_or_default().to_owned()
        }
    };
    format!("{} {} {found}", sort(format!("{:?}", path.root)), steps.join(" "))
}

/// A heap with a reference of every sort.
fn heap() -> &'static Heap {
    static HEAP: OnceLock<Heap> = OnceLock::new();
    HEAP.get_or_init(|| build().expect("in order"))
}

fn build() -> Result<Heap, BuildError> {
    let mut b = HeapBuilder::new(SizeModel::cpython_x86_64());
    let pseudo = b.add_pseudo_type("<root>");
    let thing = b.add_type("app.Thing", "app", TypeKind::Python, Addr(0x100));
    b.push_pseudo(pseudo, Addr::NULL)?;
    let roots = [(RootKind::Module, "app", 2), (RootKind::Module, "app.web", 3)];
    let roots = roots
        .into_iter()
        .chain([(RootKind::Thread, "7", 1), (RootKind::StaticData, "libfoo.so", 4)]);
    for (kind, name, node) in roots {
        let name = b.names.intern(name);
        let row = b.add_root(kind, name, NodeId(node));
        b.push_edge(NodeId(node), Label::at(EdgeKind::Root, u64::from(row)));
    }
    b.push_pseudo(pseudo, Addr(0x50))?;
    let frame = b.names.intern("app.py:42 handle");
    b.push_edge(NodeId(2), Label::named(EdgeKind::Frame, frame));
    for number in 0..4_u32 {
        let at = Addr(0x1000 + u64::from(number) * 0x100);
        b.push_object(at, thing, Bytes(64), Bytes(56), NodeFlags::default())?;
        for (index, name) in ["cache", "__dict__", "a name", "body", "é"].into_iter().enumerate() {
            use EdgeKind::{Attribute, Closure, Internal, Local, NamedEntry, Weak};
            let target = NodeId(2 + (number + index as u32) % 4);
            let name = b.names.intern(name);
            let kinds = [Attribute, NamedEntry, Closure, Local, Internal, Weak];
            b.push_edge(target, Label::named(kinds[(index + number as usize) % 6], name));
        }
        for index in 0..8_u32 {
            use EdgeKind::{Entry, Field, Item, Key, Native, Stack, State};
            let target = NodeId(2 + (number + index) % 4);
            let kind = [Item, Entry, Key, Stack, Field, State, Native][index as usize % 7];
            b.push_edge(target, Label::at(kind, u64::from(index) * 8));
        }
    }
    b.finish()
}
