#ifndef MANTA_CCURL_SHIM_H
#define MANTA_CCURL_SHIM_H

#include <curl/curl.h>

#endif
