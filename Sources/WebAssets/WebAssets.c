#include "WebAssets.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char index_html[] = {
#embed "page/index.html"
};

static const struct web_asset web_assets[] = {
  {"index.html", index_html, sizeof index_html},
  {NULL, NULL, 0},
};

const struct web_asset *web_asset_at(size_t index) { return &web_assets[index]; }
