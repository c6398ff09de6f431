//! Huge pages.

use crate::{Cgroup, Error, HugepageLimit, Result, cgroup::Place};

pub(super) fn set(group: &Cgroup, limits: &[HugepageLimit]) -> Result<()> {
    for HugepageLimit { page_size, limit } in limits {
        if page_size.is_empty() || !page_size.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let reason = format!("{page_size:?} is no page size such as 2MB");
            return Err(Error::Invalid {
                key: "hugepageLimits.pageSize",
                reason,
            });
        }
        let (dir, end) = match group.need("hugetlb", "hugetlb", "hugepageLimits")? {
            Place::V1(dir) => (dir, "limit_in_bytes"),
            Place::V2(dir) => (dir, "max"),
        };
        let value = limit.to_string();
        dir.write(&format!("hugetlb.{page_size}.{end}"), &value)?;
        // Reservations are counted apart since Linux 5.7.
        let reserved = format!("hugetlb.{page_size}.rsvd.{end}");
        if dir.exists(&reserved) {
            dir.write(&reserved, &value)?;
        }
    }
    Ok(())
}
