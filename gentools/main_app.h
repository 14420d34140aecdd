/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_MAIN_APP_H
#define GENTOOLS_MAIN_APP_H

/* update_gen app; argv[0] is "app". The exit status. */
int main_app(int argc, char **argv);

#endif
