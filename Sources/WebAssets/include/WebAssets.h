#ifndef WEB_ASSETS_H
#define WEB_ASSETS_H

#include <stddef.h>

/// One file of the web page, as it is sent.
struct web_asset {
  const char *path;
  const unsigned char *bytes;
  size_t count;
};

/// All files, ended by one without a path.
extern const struct web_asset web_assets[];

#endif
