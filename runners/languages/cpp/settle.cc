// A plugin for GCC that makes precompiled headers quick to use.
//
// GCC puts off the instantiation of templates until the end of a translation unit, and writes a precompiled header
// before that. Inline functions of the standard library, above all those of <format>, need hundreds of templates, so
// every program that includes such a header instantiates all of them, whether it uses them or not: measured, 440 of
// the 450 ms that an empty program took with a precompiled <bits/stdc++.h> in C++23. The pragma of this plugin does
// that work where it stands, at the end of the header, so that the result becomes part of the precompiled header; the
// empty program then takes 110 ms. The programs that come out are the same.

#include "gcc-plugin.h"
#include "plugin-version.h"
#include "tree.h"

#include "c-family/c-pragma.h"
#include "cp/cp-tree.h"

int plugin_is_GPL_compatible;

namespace {

// A class whose table of virtual functions is needed needs those functions, which GCC also finds out at the end.
void mark_virtual_functions() {
  unsigned index;
  tree type;
  FOR_EACH_VEC_SAFE_ELT(keyed_classes, index, type) {
    tree table = CLASSTYPE_VTABLES(type);
    if (!CLASSTYPE_TEMPLATE_INSTANTIATION(type) || !table || !TREE_USED(table)) continue;
    for (tree entry = BINFO_VIRTUALS(TYPE_BINFO(type)); entry; entry = TREE_CHAIN(entry)) {
      if (!DECL_PURE_VIRTUAL_P(BV_FN(entry))) mark_used(BV_FN(entry));
    }
  }
}

void settle(cpp_reader *) {
  // Instantiation decides who emits a function only at the end, which this is as far as the header is concerned.
  at_eof = 1;
  // What is instantiated can use further classes; a chain longer than this is left to the program.
  for (int round = 0; round < 8; ++round) {
    instantiate_pending_templates(0);
    mark_virtual_functions();
  }
  instantiate_pending_templates(0);
  at_eof = 0;
}

void register_pragma(void *, void *) { c_register_pragma("codementor", "settle", settle); }

}  // namespace

int plugin_init(plugin_name_args *info, plugin_gcc_version *version) {
  if (!plugin_default_version_check(version, &gcc_version)) return 1;
  register_callback(info->base_name, PLUGIN_PRAGMAS, register_pragma, nullptr);
  return 0;
}
