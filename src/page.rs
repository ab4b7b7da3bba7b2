//! A part of a list.

/// A page of a list, or all of it from a server that does not page.
///
/// dployr's control plane has 20 records on a page unless it is asked for another number (up to
/// 100). The vendor's page does not know pages, so there is no method for that; `query` reaches it:
///
/// ```no_run
/// # #[cfg(feature = "dployr")]
/// # async fn example(dployr: deploykit::dployr::Client) -> deploykit::Result<()> {
/// let second = dployr.deployments().list().query("page", "2").query("pageSize", "100").await?;
/// println!("{} of {:?}", second.page, second.total_pages);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The records of this page, in the server's order.
    pub items: Vec<T>,
    /// The number of this page, from 1.
    pub page: u64,
    /// How many records a page may hold, if the server says so.
    pub page_size: Option<u64>,
    /// How many records there are on all pages, if the server says so.
    pub total_items: Option<u64>,
    /// How many pages there are, if the server says so.
    pub total_pages: Option<u64>,
    /// Whether another page follows; false from a server that does not page.
    pub has_next: bool,
}

impl<T> IntoIterator for Page<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    /// The records of this page.
    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Page<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    /// The records of this page.
    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}
