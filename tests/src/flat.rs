//! Whether a line of measurements is flat: the rule by which the soak calls a growth a leak.

/// What a queue manager took in one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minute {
    /// Resident memory in KiB, the median of the samples.
    pub resident: u64,
    /// Open descriptors while nobody was connected.
    pub descriptors: u64,
}

/// Growth that is no leak, in KiB, beside a tenth: what an allocator keeps or gives back as it likes.
pub const SLACK: u64 = 8 << 10;

/// Fewest minutes that can be judged: the second one is compared with the last third.
pub const FEWEST: usize = 3;

/// What grows, if anything does. The first minute fills caches and is not looked at. The median of the last third of minutes is at most
/// a tenth and [`SLACK`] above the second minute in memory, and not above it in descriptors.
#[must_use]
pub fn growth(minutes: &[Minute]) -> Option<String> {
    let (Some(second), true) = (minutes.get(1), minutes.len() >= FEWEST) else {
        return Some(format!("{} minutes are too few to be judged, {FEWEST} are wanted", minutes.len()));
    };
    let last = &minutes[minutes.len() - minutes.len() / 3..];
    let resident = median(last.iter().map(|minute| minute.resident));
    let allowed = second.resident + second.resident / 10 + SLACK;
    if resident > allowed {
        return Some(format!(
            "resident memory grows: {} KiB in the second minute, {resident} KiB at last, {allowed} are allowed",
            second.resident
        ));
    }
    let descriptors = median(last.iter().map(|minute| minute.descriptors));
    (descriptors > second.descriptors).then(|| {
        format!("descriptors grow: {} in the second minute, {descriptors} at last", second.descriptors)
    })
}

/// The middle one; the higher of two. Zero of none.
#[must_use]
pub fn median(values: impl Iterator<Item = u64>) -> u64 {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(minutes: u64, minute: impl Fn(u64) -> (u64, u64)) -> Vec<Minute> {
        let all = (0..minutes).map(minute);
        all.map(|(resident, descriptors)| Minute { resident, descriptors }).collect()
    }

    #[test]
    fn a_line_that_rises_and_falls_is_flat() {
        let warming = |n: u64| if n == 0 { 20_000 } else { 90_000 };
        assert_eq!(growth(&line(30, |n| (warming(n) + n % 7 * 1000, 30))), None);
        // A peak here and there is no leak either.
        assert_eq!(growth(&line(30, |n| (90_000, if n % 9 == 5 { 40 } else { 30 }))), None);
    }

    #[test]
    fn a_slow_leak_of_memory_is_seen() {
        // 1 MiB each minute, in half an hour.
        let grows = growth(&line(30, |n| (90_000 + n * 1024, 30)));
        assert!(grows.is_some_and(|why| why.contains("memory")));
    }

    #[test]
    fn one_descriptor_lost_in_ten_minutes_is_seen() {
        let grows = growth(&line(30, |n| (90_000, 30 + n / 10)));
        assert!(grows.is_some_and(|why| why.contains("descriptors")));
    }

    #[test]
    fn what_is_too_short_is_not_called_flat() {
        assert!(growth(&line(2, |_| (90_000, 30))).is_some());
        assert_eq!(growth(&line(3, |_| (90_000, 30))), None);
    }
}
