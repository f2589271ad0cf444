//! The small facts of a capture, as columns of text: keys and values that a person can read.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use super::SnapshotError;
use super::column::{Reader, Writer};
use crate::capture::{Account, AccountKind, AccountRow, Gap, GapKind, Provenance, Pymalloc};
use crate::collector::{Collector, Generation};
use crate::size_model::SizeModel;
use crate::units::Bytes;

const PROVENANCE: &str = "provenance";
const MODEL: &str = "model";
const GAPS: &str = "gaps";
const ACCOUNT: &str = "account";
const ACCOUNT_ROWS: &str = "account.rows";
const PYMALLOC: &str = "account.pymalloc";

/// What a row of text takes in memory besides its letters.
const ROW: Bytes = Bytes(64);

fn write_texts<'a, W: Write>(
    writer: &mut Writer<W>,
    column: &str,
    texts: &[impl AsRef<str> + 'a],
) -> io::Result<()> {
    let mut column = writer.column(column, texts.len() as u64)?;
    texts.iter().try_for_each(|text| column.text(text.as_ref()))?;
    column.finish()
}

fn read_texts<R: Read>(
    reader: &mut Reader<R>,
    column: &'static str,
) -> Result<Vec<String>, SnapshotError> {
    let mut column = reader.column(column)?;
    let mut texts = Vec::new();
    for _ in 0..column.rows() {
        column.charge(ROW)?;
        texts.push(column.text()?);
    }
    column.finish()?;
    Ok(texts)
}

fn write_pairs<W: Write>(
    writer: &mut Writer<W>,
    column: &str,
    pairs: &[(&str, String)],
) -> io::Result<()> {
    let texts: Vec<&str> = pairs.iter().flat_map(|(key, value)| [*key, value.as_str()]).collect();
    write_texts(writer, column, &texts)
}

/// Values by key. Keys that nobody asks for are ignored.
struct Pairs {
    column: &'static str,
    values: BTreeMap<String, String>,
}

impl Pairs {
    fn read<R: Read>(reader: &mut Reader<R>, column: &'static str) -> Result<Pairs, SnapshotError> {
        let mut texts = read_texts(reader, column)?.into_iter();
        let mut values = BTreeMap::new();
        while let Some(key) = texts.next() {
            let missing = SnapshotError::Malformed { column, why: "a key without a value" };
            values.insert(key, texts.next().ok_or(missing)?);
        }
        Ok(Pairs { column, values })
    }

    fn text(&self, key: &str) -> Result<String, SnapshotError> {
        let missing = SnapshotError::Malformed { column: self.column, why: "a key is missing" };
        self.values.get(key).cloned().ok_or(missing)
    }

    fn number(&self, key: &str) -> Result<u64, SnapshotError> {
        number(self.column, &self.text(key)?)
    }

    fn bytes(&self, key: &str) -> Result<Bytes, SnapshotError> {
        self.number(key).map(Bytes)
    }

    fn optional(&self, key: &str) -> Result<Option<Bytes>, SnapshotError> {
        self.values.contains_key(key).then(|| self.bytes(key)).transpose()
    }

    fn narrow(&self, key: &str) -> Result<u32, SnapshotError> {
        let number = self.number(key)?;
        u32::try_from(number).map_err(|_| not_a_number(self.column))
    }

    fn flag(&self, key: &str) -> Result<bool, SnapshotError> {
        match self.text(key)?.as_str() {
            "yes" => Ok(true),
            "no" => Ok(false),
            _ => Err(SnapshotError::Malformed { column: self.column, why: "neither yes nor no" }),
        }
    }
}

fn not_a_number(column: &'static str) -> SnapshotError {
    SnapshotError::Malformed { column, why: "not a number" }
}

fn number(column: &'static str, text: &str) -> Result<u64, SnapshotError> {
    text.parse().map_err(|_| not_a_number(column))
}

fn yes_no(flag: bool) -> String {
    if flag { "yes".to_owned() } else { "no".to_owned() }
}

pub(super) fn write_provenance<W: Write>(
    writer: &mut Writer<W>,
    provenance: &Provenance,
) -> io::Result<()> {
    let mut pairs = vec![
        ("pid", provenance.pid.to_string()),
        ("command", provenance.command.clone()),
        ("python", provenance.python.clone()),
        ("executable", provenance.executable.clone()),
        ("taken_at", provenance.taken_at.to_string()),
        ("pause_micros", provenance.pause_micros.to_string()),
        ("copied", provenance.copied.0.to_string()),
        ("threads", provenance.threads.to_string()),
        ("reader", provenance.reader.clone()),
        ("values", yes_no(provenance.values)),
        ("tracked", provenance.tracked.to_string()),
        ("permanent", provenance.permanent.to_string()),
    ];
    pairs.extend(provenance.collector.as_ref().map(collector_pairs).into_iter().flatten());
    write_pairs(writer, PROVENANCE, &pairs)
}

pub(super) fn read_provenance<R: Read>(
    reader: &mut Reader<R>,
) -> Result<Provenance, SnapshotError> {
    let pairs = Pairs::read(reader, PROVENANCE)?;
    Ok(Provenance {
        pid: pairs.narrow("pid")?,
        command: pairs.text("command")?,
        python: pairs.text("python")?,
        executable: pairs.text("executable")?,
        taken_at: pairs.number("taken_at")?,
        pause_micros: pairs.number("pause_micros")?,
        copied: pairs.bytes("copied")?,
        threads: pairs.narrow("threads")?,
        reader: pairs.text("reader")?,
        values: pairs.flag("values")?,
        tracked: pairs.number("tracked")?,
        permanent: pairs.number("permanent")?,
        collector: read_collector(&pairs)?,
    })
}

/// Files of minor version 0 have none of these keys.
const GENERATIONS: [&str; 3] =
    ["collector.generation0", "collector.generation1", "collector.generation2"];

fn collector_pairs(collector: &Collector) -> Vec<(&'static str, String)> {
    let mut pairs = vec![
        ("collector.enabled", yes_no(collector.enabled)),
        ("collector.collecting", yes_no(collector.collecting)),
        ("collector.incremental", yes_no(collector.incremental)),
        ("collector.garbage", collector.garbage.to_string()),
        ("collector.long_lived_total", collector.long_lived_total.to_string()),
        ("collector.long_lived_pending", collector.long_lived_pending.to_string()),
        ("collector.interpreters", collector.interpreters.to_string()),
    ];
    pairs.extend(GENERATIONS.into_iter().zip(collector.generations.iter().map(|generation| {
        let Generation { threshold, count, objects, collections, collected, uncollectable } =
            generation;
        format!("{threshold} {count} {objects} {collections} {collected} {uncollectable}")
    })));
    pairs
}

fn read_collector(pairs: &Pairs) -> Result<Option<Collector>, SnapshotError> {
    if !pairs.values.contains_key("collector.enabled") {
        return Ok(None);
    }
    let mut generations = [Generation::default(); 3];
    for (generation, key) in generations.iter_mut().zip(GENERATIONS) {
        *generation = read_generation(&pairs.text(key)?)?;
    }
    Ok(Some(Collector {
        enabled: pairs.flag("collector.enabled")?,
        collecting: pairs.flag("collector.collecting")?,
        incremental: pairs.flag("collector.incremental")?,
        generations,
        garbage: pairs.number("collector.garbage")?,
        long_lived_total: pairs.number("collector.long_lived_total")?,
        long_lived_pending: pairs.number("collector.long_lived_pending")?,
        interpreters: pairs.number("collector.interpreters")?,
    }))
}

fn read_generation(text: &str) -> Result<Generation, SnapshotError> {
    let parts: Vec<&str> = text.split(' ').collect();
    let [threshold, count, objects, collections, collected, uncollectable] = parts[..] else {
        let why = "a generation is not six numbers";
        return Err(SnapshotError::Malformed { column: PROVENANCE, why });
    };
    let signed = |text: &str| text.parse().map_err(|_| not_a_number(PROVENANCE));
    Ok(Generation {
        threshold: signed(threshold)?,
        count: signed(count)?,
        objects: number(PROVENANCE, objects)?,
        collections: number(PROVENANCE, collections)?,
        collected: number(PROVENANCE, collected)?,
        uncollectable: number(PROVENANCE, uncollectable)?,
    })
}

pub(super) fn write_model<W: Write>(writer: &mut Writer<W>, model: &SizeModel) -> io::Result<()> {
    let pairs = [
        ("object_header", model.object_header.0.to_string()),
        ("gc_head", model.gc_head.0.to_string()),
        ("pre_header", model.pre_header.0.to_string()),
        ("inline_values", yes_no(model.inline_values)),
        ("small_limit", model.small_limit.0.to_string()),
        ("small_step", model.small_step.0.to_string()),
        ("chunk_header", model.chunk_header.0.to_string()),
        ("chunk_step", model.chunk_step.0.to_string()),
        ("chunk_least", model.chunk_least.0.to_string()),
    ];
    write_pairs(writer, MODEL, &pairs)
}

pub(super) fn read_model<R: Read>(reader: &mut Reader<R>) -> Result<SizeModel, SnapshotError> {
    let pairs = Pairs::read(reader, MODEL)?;
    Ok(SizeModel {
        object_header: pairs.bytes("object_header")?,
        gc_head: pairs.bytes("gc_head")?,
        pre_header: pairs.bytes("pre_header")?,
        inline_values: pairs.flag("inline_values")?,
        small_limit: pairs.bytes("small_limit")?,
        small_step: pairs.bytes("small_step")?,
        chunk_header: pairs.bytes("chunk_header")?,
        chunk_step: pairs.bytes("chunk_step")?,
        chunk_least: pairs.bytes("chunk_least")?,
    })
}

pub(super) fn write_gaps<W: Write>(writer: &mut Writer<W>, gaps: &[Gap]) -> io::Result<()> {
    let texts = |gap: &Gap| [gap.kind.word().to_owned(), gap.count.to_string(), gap.detail.clone()];
    let texts: Vec<String> = gaps.iter().flat_map(texts).collect();
    write_texts(writer, GAPS, &texts)
}

pub(super) fn read_gaps<R: Read>(reader: &mut Reader<R>) -> Result<Vec<Gap>, SnapshotError> {
    let texts = read_texts(reader, GAPS)?;
    let (rows, []) = texts.as_chunks::<3>() else {
        return Err(SnapshotError::Malformed { column: GAPS, why: "not rows of three" });
    };
    let unknown = SnapshotError::Malformed { column: GAPS, why: "an unknown kind" };
    let mut gaps = Vec::new();
    for [word, count, detail] in rows {
        let Some(kind) = GapKind::from_word(word) else { return Err(unknown) };
        gaps.push(Gap { kind, count: number(GAPS, count)?, detail: detail.clone() });
    }
    Ok(gaps)
}

pub(super) fn write_account<W: Write>(writer: &mut Writer<W>, account: &Account) -> io::Result<()> {
    let totals = [("rss", Some(account.rss)), ("pss", account.pss), ("uss", account.uss)];
    let known = totals.into_iter().filter_map(|(key, bytes)| Some((key, bytes?.0.to_string())));
    write_pairs(writer, ACCOUNT, &known.collect::<Vec<_>>())?;
    let row = |row: &AccountRow| (row.kind.word(), row.bytes.0.to_string());
    write_pairs(writer, ACCOUNT_ROWS, &account.rows.iter().map(row).collect::<Vec<_>>())?;
    let pymalloc = account.pymalloc.as_ref().map_or(Vec::new(), |books| {
        vec![
            ("arenas", books.arenas.to_string()),
            ("arena_size", books.arena_size.0.to_string()),
            ("used_blocks", books.used_blocks.0.to_string()),
            ("used_block_count", books.used_block_count.to_string()),
            ("free_blocks", books.free_blocks.0.to_string()),
            ("free_pools", books.free_pools.0.to_string()),
            ("pool_headers", books.pool_headers.0.to_string()),
            ("quantization", books.quantization.0.to_string()),
            ("arena_alignment", books.arena_alignment.0.to_string()),
            ("owned_blocks", books.owned_blocks.0.to_string()),
            ("sparse_arenas", books.sparse_arenas.to_string()),
            ("sparse_blocks", books.sparse_blocks.to_string()),
        ]
    });
    write_pairs(writer, PYMALLOC, &pymalloc)
}

pub(super) fn read_account<R: Read>(reader: &mut Reader<R>) -> Result<Account, SnapshotError> {
    let totals = Pairs::read(reader, ACCOUNT)?;
    let texts = read_texts(reader, ACCOUNT_ROWS)?;
    let (pairs, []) = texts.as_chunks::<2>() else {
        return Err(SnapshotError::Malformed { column: ACCOUNT_ROWS, why: "not rows of two" });
    };
    let mut rows = Vec::new();
    for [word, bytes] in pairs {
        let Some(kind) = AccountKind::from_word(word) else {
            return Err(SnapshotError::Malformed { column: ACCOUNT_ROWS, why: "an unknown kind" });
        };
        rows.push(AccountRow { kind, bytes: Bytes(number(ACCOUNT_ROWS, bytes)?) });
    }
    let books = Pairs::read(reader, PYMALLOC)?;
    let pymalloc = if books.values.is_empty() {
        None
    } else {
        Some(Pymalloc {
            arenas: books.number("arenas")?,
            arena_size: books.bytes("arena_size")?,
            used_blocks: books.bytes("used_blocks")?,
            used_block_count: books.number("used_block_count")?,
            free_blocks: books.bytes("free_blocks")?,
            free_pools: books.bytes("free_pools")?,
            pool_headers: books.bytes("pool_headers")?,
            quantization: books.bytes("quantization")?,
            arena_alignment: books.bytes("arena_alignment")?,
            owned_blocks: books.bytes("owned_blocks")?,
            sparse_arenas: books.number("sparse_arenas")?,
            sparse_blocks: books.number("sparse_blocks")?,
        })
    };
    Ok(Account {
        rss: totals.bytes("rss")?,
        pss: totals.optional("pss")?,
        uss: totals.optional("uss")?,
        rows,
        pymalloc,
    })
}
