//! Tags of images in the registry of the organisation.

use super::{Client, Handle, ImageName, ImageTag, ImageTagDeleted, ImageTagName, Page};
use crate::call::Call;
use crate::error::Error;
use crate::id::{CheckedId, checked};
use crate::page::{PageRequest, paged};
use crate::raw::edgegap::Op;

/// A handle on an image in the registry; returned by [`Client::image`].
pub type ImageHandle = Handle<ImageName>;

/// The tags of an image; returned by [`ImageHandle::tags`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
/// # let edgegap = deploykit_sandbox::Sandbox::builder().in_process().edgegap()?;
/// let image = edgegap.image("my-game-server");
/// for tag in image.tags().list().all().await? {
///     println!("{} {:?}", tag.tag, tag.last_push_at);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "sends nothing until `list` is awaited"]
pub struct ImageTags {
    image: ImageHandle,
    page_request: PageRequest,
}

/// A handle on a tag of an image; returned by [`ImageHandle::tag`].
#[derive(Clone, Debug)]
pub struct ImageTagHandle {
    image: ImageHandle,
    name: CheckedId<ImageTagName>,
}

impl Client {
    /// A handle on an image in `registry.edgegap.com`, by its name without the project. Does no I/O.
    ///
    /// The project follows from the token. The vendor's document has `project/image`, but its own client
    /// found that the platform does not accept it. Calls reject a name with `/`.
    pub fn image(&self, name: impl TryInto<ImageName, Error: Into<Error>>) -> ImageHandle {
        Handle::new(self, name)
    }
}

impl ImageHandle {
    /// The tags of the image. Does no I/O.
    pub fn tags(&self) -> ImageTags {
        ImageTags {
            image: self.clone(),
            page_request: PageRequest::default(),
        }
    }

    /// A handle on a tag, by its name. Does no I/O.
    ///
    /// Calls reject an invalid name.
    pub fn tag(&self, name: impl TryInto<ImageTagName, Error: Into<Error>>) -> ImageTagHandle {
        ImageTagHandle {
            image: self.clone(),
            name: checked(name),
        }
    }
}

impl ImageTags {
    paged!("tags");

    /// Lists one page of the tags: `GET /v1/container-registry/images/{image_name}/tags`.
    ///
    /// Source: <https://docs.edgegap.com/docs/api>
    pub fn list(&self) -> Call<Page<ImageTag>> {
        let name = self.image.id.clone();
        self.image.client.list(
            Op::ListImageTags,
            self.page_request,
            |raw, page, limit| async move {
                let name = name?;
                let list = raw.list_image_tags_with(name.as_str(), |options| {
                    (options.page, options.limit) = (page, limit);
                });
                let list = list.await?.into_inner();
                Ok((list.data, list.count, list.pagination))
            },
        )
    }
}

impl ImageTagHandle {
    /// Deletes the tag with its image:
    /// `DELETE /v1/container-registry/images/{image_name}/tags/{tag_name}`.
    ///
    /// [`remaining_tags`](super::ImageArtifact::remaining_tags) in the response are other tags of the same
    /// image. The vendor does not document whether they are deleted, too, nor what happens to a version that
    /// uses the tag: delete the version first.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if the tag does not exist or was already deleted.
    ///
    /// Source: <https://docs.edgegap.com/docs/api>
    pub fn delete(&self) -> Call<ImageTagDeleted> {
        let (image, name) = (&self.image, self.name.clone());
        image.call(Op::DeleteImageTag, |raw, image| async move {
            let name = name?;
            let deleted = raw.delete_image_tag(image.as_str(), name.as_str());
            Ok(deleted.await?.into_inner())
        })
    }
}
