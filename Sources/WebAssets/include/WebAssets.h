#ifndef WEB_ASSETS_H
#define WEB_ASSETS_H

#include <stddef.h>

/// One file of the web page, as it is sent.
struct web_asset {
  const char *path;
  const unsigned char *bytes;
  size_t count;
};

/// The file at that index, from 0; the one behind the last has no path.
const struct web_asset *web_asset_at(size_t index);

#endif
