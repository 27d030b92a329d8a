/* SPDX-License-Identifier: MIT
 * test_svg.c - what of a figure goes into a page. */
#include "bench/rows/svg.h"
#include "kernels/base/test.h"

static const char *of(const char *svg)
{
    static struct text out;
    text_clear(&out);
    text_add(&out, "|");
    return svg_add(&out, svg, strlen(svg)) ? text_of(&out) + 1 : "no figure";
}

#define SAYS(svg, want) do { const char *got = of(svg); CHECK(strcmp(got, want) == 0, "%s: %s", svg, got); } while (0)

static void kept(void)
{
    SAYS("<?xml version='1.0'?>\n<svg width='3' viewBox=\"0 0 1 1\"><g fill='none'><path d='M 1,2'/>a &lt; b</g></svg>\n<p>",
         "<svg width=\"3\" viewBox=\"0 0 1 1\"><g fill=\"none\"><path d=\"M 1,2\"/>a &lt; b</g></svg>");
    SAYS("<svg><use xlink:href='#gpDot' filter='url(#box)'/></svg>", "<svg><use xlink:href=\"#gpDot\" filter=\"url(#box)\"/></svg>");
}

static void left_out(void)
{
    SAYS("<svg onload='alert(1)'><script>alert(2)</script><g oNclick=\"x\"/></svg>", "<svg><g/></svg>");
    SAYS("<svg><style>@import 'http://x'</style><a href='http://x'>t</a><g/></svg>", "<svg><g/></svg>");
    SAYS("<svg><foreignObject><body onload='x'/></foreignObject><g/></svg>", "<svg><g/></svg>");
    SAYS("<svg><use href='http://x/y#z'/><g fill='url(http://x)' style='fill:url(http://x)'/></svg>", "<svg><use/><g/></svg>");
    SAYS("<svg><use href='javascript:x'/><g d='&#106;' e='a\\62'/></svg>", "<svg><use/><g/></svg>");
    SAYS("<svg><!-- <script>x</script> --><![CDATA[x]]><g/></svg>", "<svg><g/></svg>");
    SAYS("<svg><g title='\"><script>'/></svg>", "<svg><g title=\"&quot;&gt;&lt;script&gt;\"/></svg>");
    SAYS("<svg></svg><script>x</script>", "<svg></svg>");
    SAYS("<svg><SCRIPT>x</SCRIPT><scr<script>ipt>y</script></svg>", "<svg></svg>");
}

static void broken(void)
{
    static const char *const bad[] = { "", "<svg", "<svg>", "<svg a='", "<svg><g", "<svg><!--", "<p>", "<svg><g></svg>", "<svg a=b></svg>" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *got = of(bad[i]);
        CHECK(!strstr(got, "script") && (strcmp(got, "no figure") == 0 || strstr(got, "<svg")), "%s: %s", bad[i], got);
    }
    const char whole[] = "<svg><g id=\"a\" class='b'>t</g><path d='M'/></svg>";
    for (size_t cut = 0; cut < sizeof whole - 1; cut++) {
        char some[sizeof whole];
        snprintf(some, cut + 1, "%s", whole);
        SAYS(some, "no figure");
    }
}

static void mark(void *context, const char *text, struct text *attributes, struct text *title)
{
    ++*(size_t *)context;
    text_add(attributes, " class=\"m\"");
    text_add(title, "at %s", text);
}

static void placed(void)
{
    size_t marks = 0;
    struct text out = { 0 };
    const struct svg_place place = { "f1-", "role=\"img\"", mark, &marks };
    const char svg[] = "<svg class='x' viewBox='0 0 360 240'><title>t</title><desc>d</desc><g id='a'><title>a_plot_1</title>\n</g>"
                       "<g onmousemove=\"gnuplot_svg.showHypertext(evt,'it's')\" onmouseout='x'><title> </title>"
                       "<use xlink:href='#a' clip-path='url(#b)'/></g><g><g> </g></g></svg>";
    CHECK(svg_place(&out, svg, sizeof svg - 1, &place) && marks == 1 &&
              strcmp(text_of(&out), "<svg role=\"img\" width=\"360\" height=\"240\" viewBox=\"0 0 360 240\">"
                                    "<g class=\"m\"><title>at it's</title><use xlink:href=\"#f1-a\" "
                                    "clip-path=\"url(#f1-b)\"/></g></svg>") == 0,
          "%zu marks: %s", marks, text_of(&out));
    text_free(&out);
}

int main(void)
{
    test_case("figures are kept", kept);
    test_case("what runs or fetches is left out", left_out);
    test_case("what is no figure", broken);
    test_case("placed in a page", placed);
    return test_end();
}
