"""Configuration of the documentation; `make docs` builds it, without a network and without a warning."""

import os
import sys
from importlib.metadata import version as installed_version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))
# many small networks: threads would only wait for each other
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The notebook's kernel has a profile of its own: nobody's settings matter, and it does not talk about its sockets.
os.environ["IPYTHONDIR"] = str(Path(__file__).parent / "_build" / "ipython")
profile = Path(os.environ["IPYTHONDIR"], "profile_default", "ipython_kernel_config.py")
profile.parent.mkdir(parents=True, exist_ok=True)
profile.write_text("get_config().IPKernelApp.log_level = 'ERROR'\n")

project = "quadflow"
author = "the quadflow developers"
release = version = installed_version("quadflow")
html_title = f"quadflow {version}"

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.githubpages",  # .nojekyll: servers of static pages hide no folder
    "sphinx-mathjax-offline",  # MathJax and its fonts from the package: the site needs no network
    "sphinx_gallery.gen_gallery",
    "myst_nb",
    "dark_pictures",  # the last eleven are in docs/extensions
    "derived_formulas",
    "executed_examples",
    "folded",
    "gallery_picture",
    "literature",
    "peers",
    "plain_docstrings",
    "published_results",
    "reference_pages",
    "explorer",
]

root_doc = "index"
source_suffix = {".rst": "restructuredtext", ".ipynb": "myst-nb"}
exclude_patterns = [
    "_build",
    "gallery",
    "**.ipynb_checkpoints",
    "auto_gallery/**.ipynb",
    "auto_gallery/sg_*",
]
smartquotes = False  # two hyphens begin an option
default_role = "py:obj"  # a name in single backticks is a link where it is documented, and code everywhere
nitpicky = True
nitpick_ignore_regex = [
    ("py:obj", ".*"),
    ("py:class", r"(?!dynamics|empirical|figures).*"),
]

# the reference
autodoc_typehints = "none"  # the docstrings say shapes and units, which types do not
autodoc_member_order = "bysource"
add_module_names = False  # names as one imports them; pages of modules have theirs above

# the gallery: one file per figure
sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "auto_gallery",
    "filename_pattern": r"/plot_",
    "image_scrapers": ("figure_scraper.scrape",),
    "reset_modules": (),
    "abort_on_example_error": True,
    "subsection_order": [
        f"gallery/{name}"
        for name in (
            "stages",
            "losses",
            "saddles",
            "conserved",
            "practice",
            "inputs",
            "scaling",
            "companions",
        )
    ],
    "within_subsection_order": "gallery_order.TableOrder",
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
    "min_reported_time": 1e9,  # how long a figure takes on the machine of the build says nothing
    "parallel": True,  # as many as sphinx-build --jobs
    "thumbnail_size": (400, 400),
    "reference_url": {"dynamics": None, "empirical": None, "figures": None},
}

# the notebook
nb_execution_mode = "force"
nb_execution_timeout = 120
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "amsmath"]

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["quadflow.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#0072B2",
        "color-brand-content": "#0072B2",
    },
    "dark_css_variables": {
        "color-brand-primary": "#56B4E9",
        "color-brand-content": "#56B4E9",
    },
}


def setup(
    app,
):  # it copies files at the end, and does not say that this is no matter for parallel builds
    app.extensions["sphinx-mathjax-offline"].parallel_read_safe = True
