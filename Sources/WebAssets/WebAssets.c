#include "WebAssets.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char index_html[] = {
#embed "page/index.html"
};

const struct web_asset web_assets[] = {
  {"index.html", index_html, sizeof index_html},
  {NULL, NULL, 0},
};
